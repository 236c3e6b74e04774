"""Tracking: a slot is held as long as the call, and only what says something about the worker teaches the load."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.layers.endpoint.track import Track
from pointsman.model.outcome import Delivered, Failed, Failure
from pointsman.model.settings import BreakerSettings
from pointsman.sim import SimClock
from pointsman.testing.make import attempt
from pointsman.testing.probe import Probe
from tests.runtime.fleet_of import Scripted, Yard


async def test_the_slot_comes_back_whatever_happens() -> None:
    """After success, failure, an exception and a cancellation nothing is in flight."""
    yard = Yard(SimClock())
    endpoint = yard.join("w", Scripted(), slots=2)
    for answer in (Delivered("w"), Failed(Failure.WORKER_ERROR, ""), ZeroDivisionError(), asyncio.CancelledError()):
        deliver = Track(endpoint, yard.pool, yard.clock)(Probe(answer))
        if isinstance(answer, BaseException):
            with pytest.raises(type(answer)):
                await deliver(attempt())
        else:
            await deliver(attempt())
        assert (endpoint.load.in_flight, yard.pool.free) == (0, 2)


async def test_names_the_worker_and_times_it() -> None:
    """The attempt learns who has it, and how long the worker took."""
    yard = Yard(SimClock())
    endpoint = yard.join("w", Scripted())

    async def slow(out: object) -> Delivered:
        await asyncio.sleep(2.0)
        return Delivered("w")

    out = attempt(at=yard.clock.monotonic())
    await Track(endpoint, yard.pool, yard.clock)(slow)(out)
    assert (out.worker, out.price_name) == ("w", "w")
    assert out.worker_s == pytest.approx(2.0)
    assert yard.pool.service_s == pytest.approx(2.0)


async def test_a_fast_failure_teaches_nothing_about_speed() -> None:
    """A worker that fails at once does not become cheap."""
    yard = Yard(SimClock())
    endpoint = yard.join("w", Scripted())
    before = endpoint.load.cost(yard.clock.monotonic())
    deliver = Track(endpoint, yard.pool, yard.clock)(Probe(Failed(Failure.WORKER_ERROR, "", sent=True)))
    for _ in range(5):
        await deliver(attempt())
    assert endpoint.load.cost(yard.clock.monotonic()) > before


async def test_the_messages_own_fault_is_not_held_against_the_worker() -> None:
    """A 4xx leaves the worker's success share at one."""
    yard = Yard(SimClock())
    endpoint = yard.join("w", Scripted())
    deliver = Track(endpoint, yard.pool, yard.clock)(Probe(Failed(Failure.MESSAGE_FAULT, "bad", sent=True)))
    await deliver(attempt())
    assert endpoint.load.estimate(yard.clock.monotonic())[1] == 1.0


async def test_a_busy_worker_is_held_back_for_as_long_as_it_asks() -> None:
    """Retry-After keeps messages away from it, and its success share stays."""
    yard = Yard(SimClock())
    endpoint = yard.join("w", Scripted())
    busy = Failed(Failure.WORKER_BUSY, "later", retry_after_s=7.0)
    await Track(endpoint, yard.pool, yard.clock)(Probe(busy))(attempt(at=yard.clock.monotonic()))
    now = yard.clock.monotonic()
    assert endpoint.held_until == pytest.approx(now + 7.0)
    assert yard.pool.pick(now) is None
    assert endpoint.load.estimate(now)[1] == 1.0


async def test_a_half_open_worker_never_offers_more_slots_than_permits() -> None:
    """After a good trial call exactly one more may be tried, however many slots the worker has."""
    yard = Yard(SimClock(), breaker=BreakerSettings(failures=1, open_s=1.0, permits=1, successes=3))
    broken = Failed(Failure.WORKER_ERROR, "no", worker="w", sent=True)
    endpoint = yard.join("w", Scripted(broken, Delivered("w")), slots=4)
    await endpoint.deliver(attempt(at=yard.clock.monotonic()))
    wakes_at = endpoint.breaker.wakes_at()
    assert wakes_at is not None
    await yard.clock.sleep_until(wakes_at)
    yard.pool.advance(yard.clock.monotonic())
    assert yard.pool.free == 1
    await endpoint.deliver(attempt(at=yard.clock.monotonic()))
    assert (endpoint.breaker.state, yard.pool.free) == ("half_open", 1)
