"""Picking: the next worker only while none has seen the message, and another one than failed it before."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.core.affinity import PreferredWorkers
from pointsman.layers.delivery.pick import Pick
from pointsman.model.outcome import AttemptRecord, Delivered, Failed, Failure, Outcome
from pointsman.sim import SimClock
from pointsman.testing.make import attempt, envelope
from tests.runtime.fleet_of import Scripted, Yard


def pick(yard: Yard, preferred: PreferredWorkers | None = None) -> Pick:
    """Return the leaf over one pool."""
    return Pick({"coders": yard.pool}, preferred or PreferredWorkers(3600.0, 100), yard.clock)


def unreachable(worker: str) -> Failed:
    """Return the outcome of a worker that could not be reached."""
    return Failed(Failure.WORKER_UNREACHABLE, "refused", worker=worker, sent=False)


async def test_goes_on_to_the_next_worker_while_none_has_seen_the_message() -> None:
    """Two unreachable workers are skipped within one attempt."""
    yard = Yard(SimClock())
    for name in ("a", "b"):
        yard.join(name, Scripted(unreachable(name)))
    yard.join("c", Scripted())
    assert await pick(yard)(attempt(at=yard.clock.monotonic())) == Delivered("c")


async def test_stops_at_the_first_worker_that_has_seen_it() -> None:
    """A failure after sending goes back to the engine, whose retry policy decides."""
    yard = Yard(SimClock())
    seen = Failed(Failure.WORKER_ERROR, "broke", worker="a", sent=True)
    workers = [Scripted(seen), Scripted(seen)]
    yard.join("a", workers[0])
    yard.join("b", workers[1])
    assert await pick(yard)(attempt(at=yard.clock.monotonic())) == seen
    assert sum(len(worker.sent) for worker in workers) == 1


async def test_tries_each_worker_once_within_an_attempt() -> None:
    """Where none can be reached the last failure is the answer, and no worker was asked twice."""
    yard = Yard(SimClock())
    workers = {name: Scripted(unreachable(name)) for name in "abc"}
    for name, transport in workers.items():
        yard.join(name, transport)
    outcome = await pick(yard)(attempt(at=yard.clock.monotonic()))
    assert isinstance(outcome, Failed)
    assert outcome.reason is Failure.WORKER_UNREACHABLE
    assert [len(worker.sent) for worker in workers.values()] == [1, 1, 1]


async def test_redeliver_never_means_one_worker_only() -> None:
    """Under `never` a worker that was chosen is the only one, even if it could not be reached."""
    yard = Yard(SimClock())
    workers = [Scripted(unreachable("a")), Scripted(unreachable("b"))]
    yard.join("a", workers[0])
    yard.join("b", workers[1])
    message = envelope(at=yard.clock.monotonic())
    message.redeliver = "never"
    await pick(yard)(attempt(message, at=yard.clock.monotonic()))
    assert sum(len(worker.sent) for worker in workers) == 1


def failed_at(worker: str) -> AttemptRecord:
    """Return the record of an attempt that failed at a worker."""
    return AttemptRecord(1, "coders", worker, "worker_error", 0.0, 0.1)


async def test_a_retry_goes_to_another_worker() -> None:
    """The worker that failed the message before is avoided while another is free."""
    for _ in range(20):
        yard = Yard(SimClock())
        yard.join("a", Scripted())
        yard.join("b", Scripted())
        message = envelope(at=yard.clock.monotonic())
        message.trail.append(failed_at("a"))
        assert await pick(yard)(attempt(message, at=yard.clock.monotonic())) == Delivered("b")


async def test_a_retry_waits_for_another_worker_that_is_busy() -> None:
    """While the other worker is merely busy, the message goes back rather than to the one that failed it."""
    yard = Yard(SimClock())
    yard.join("a", Scripted())
    hold = asyncio.Event()
    busy = yard.join("b", Scripted(hold=hold))
    other = asyncio.ensure_future(busy.deliver(attempt(at=yard.clock.monotonic())))
    await asyncio.sleep(0)
    message = envelope(at=yard.clock.monotonic())
    message.trail.append(failed_at("a"))
    outcome = await pick(yard)(attempt(message, at=yard.clock.monotonic()))
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.sent) == (Failure.NO_WORKER, False)
    hold.set()
    await other


async def test_a_retry_takes_the_only_worker_there_is() -> None:
    """With no other worker open, the one that failed it is better than none."""
    yard = Yard(SimClock())
    yard.join("a", Scripted())
    message = envelope(at=yard.clock.monotonic())
    message.trail.append(failed_at("a"))
    outcome = await pick(yard)(attempt(message, at=yard.clock.monotonic()))
    assert outcome == Delivered("a")


async def test_gives_the_claimed_slot_back_exactly_once() -> None:
    """A claim is void once a worker holds the slot, and stays with the dispatcher where none was chosen."""
    yard = Yard(SimClock())
    yard.join("a", Scripted(), slots=2)
    yard.pool.claim()
    out = attempt(at=yard.clock.monotonic())
    out.claimed = True
    await pick(yard)(out)
    assert (out.claimed, yard.pool.free) == (False, 2)
    empty = Yard(SimClock())
    empty.pool.claim()
    unplaced = attempt(at=empty.clock.monotonic())
    unplaced.claimed = True
    await pick(empty)(unplaced)
    assert unplaced.claimed


def vain(number: int) -> AttemptRecord:
    """Return the record of a hand-out that found no worker."""
    return AttemptRecord(number, "coders", "", "no_worker", 0.0, 0.0)


async def always_busy() -> tuple[Yard, asyncio.Event, asyncio.Task[Outcome]]:
    """Return a pool whose worker `a` is free and whose worker `b` is busy until the event."""
    yard = Yard(SimClock())
    yard.join("a", Scripted())
    hold = asyncio.Event()
    busy = yard.join("b", Scripted(hold=hold))
    other = asyncio.ensure_future(busy.deliver(attempt(at=yard.clock.monotonic(), timeout_s=1e6)))
    await asyncio.sleep(0)
    return yard, hold, other


async def test_waiting_for_another_worker_gets_longer_each_time_and_ends() -> None:
    """Each time in vain the pause doubles; after six times the worker that failed it is better than none."""
    yard, hold, other = await always_busy()
    pauses = []
    message = envelope(at=yard.clock.monotonic())
    message.trail.append(failed_at("a"))
    while True:
        outcome = await pick(yard)(attempt(message, at=yard.clock.monotonic()))
        if not isinstance(outcome, Failed):
            break
        pauses.append(outcome.retry_after_s)
        message.trail.append(vain(message.attempt))
    assert outcome == Delivered("a")
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2]
    hold.set()
    await other


async def test_patience_begins_anew_with_each_failure() -> None:
    """Only hand-outs since the last real attempt count."""
    yard, hold, other = await always_busy()
    message = envelope(at=yard.clock.monotonic())
    message.trail += [failed_at("a"), *(vain(number) for number in range(6)), failed_at("a")]
    outcome = await pick(yard)(attempt(message, at=yard.clock.monotonic()))
    assert isinstance(outcome, Failed)
    assert outcome.retry_after_s == 0.1
    hold.set()
    await other


@pytest.mark.parametrize("result", ["worker_busy", "breaker_open", "cancelled", "worker_left"])
async def test_a_worker_that_did_nothing_wrong_is_not_avoided(result: str) -> None:
    """It was busy, held back by its breaker or left alone: the message goes to it while another one is busy."""
    yard, hold, other = await always_busy()
    message = envelope(at=yard.clock.monotonic())
    message.trail.append(AttemptRecord(1, "coders", "a", result, 0.0, 0.1))
    outcome = await pick(yard)(attempt(message, at=yard.clock.monotonic()))
    assert outcome == Delivered("a")
    hold.set()
    await other


@pytest.mark.parametrize("result", ["worker_error", "worker_timeout", "worker_closed", "worker_garbage", "lease_lost"])
async def test_a_worker_that_failed_the_message_is_avoided(result: str) -> None:
    """Whatever it did."""
    yard = Yard(SimClock())
    yard.join("a", Scripted())
    yard.join("b", Scripted())
    message = envelope(at=yard.clock.monotonic())
    message.trail.append(AttemptRecord(1, "coders", "a", result, 0.0, 0.1))
    outcome = await pick(yard)(attempt(message, at=yard.clock.monotonic()))
    assert outcome == Delivered("b")


async def test_an_empty_pool_says_so_and_asks_for_a_pause() -> None:
    """The slot it was leased for is gone: nothing was sent, and it must not come back as fast as the loop turns."""
    yard = Yard(SimClock())
    outcome = await pick(yard)(attempt(at=yard.clock.monotonic()))
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.sent, outcome.retry_after_s) == (Failure.NO_WORKER, False, 0.1)
