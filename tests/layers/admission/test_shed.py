"""Shedding: who would wait in vain is told at once, and nobody else."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.core.breaker import BreakerState
from pointsman.core.routing import FallbackRule
from pointsman.layers.admission.shed import Shed
from pointsman.model.message import PRIORITIES, Envelope
from pointsman.model.outcome import Accepted, Refusal, Refused
from pointsman.model.settings import ShedSettings
from pointsman.sim import SimClock
from pointsman.testing.make import attempt, envelope
from pointsman.testing.probe import Probe
from tests.runtime.fleet_of import Scripted, Yard


class Hall:
    """The layer in front of one pool, with as many messages in its queue as told, by level."""

    def __init__(self, *, helped: bool = False) -> None:
        self.clock = SimClock()
        self.yard = Yard(self.clock)
        self.helper = Yard(self.clock)
        self.waiting = [0, 0, 0, 0, 0]
        self.inner = Probe(Accepted("x"))
        pools = {"coders": self.yard.pool, "planners": self.helper.pool}
        rules = {"coders": FallbackRule(("planners",), 5.0, on_busy=False)} if helped else {}
        self.admit = Shed(pools, rules, self.count, ShedSettings())(self.inner)

    def count(self, queue: str, level: int) -> int:
        """How many of that level or above wait."""
        assert queue == "coders"
        return sum(self.waiting[: level + 1])

    async def learn(self, service_s: float) -> None:
        """Let the only worker be busy, with a known service time."""
        endpoint = self.yard.join("w", Scripted())
        hold = asyncio.Event()
        endpoint.transport.hold = hold  # type: ignore[attr-defined]
        task = asyncio.ensure_future(endpoint.deliver(attempt(at=self.clock.monotonic(), timeout_s=1e6)))
        await self.clock.sleep(service_s)
        hold.set()
        await task
        endpoint.load.start()
        self.yard.pool.changed(endpoint)

    def message(self, **fields: object) -> Envelope:
        """Return a message."""
        return envelope(at=self.clock.monotonic(), **fields)  # type: ignore[arg-type]


def beside(hall: Hall, **fields: object) -> Envelope:
    """Return a message of the candidate's lane."""
    of = hall.message(**fields)
    of.lane = "candidate"
    return of


async def test_a_free_worker_is_all_it_takes() -> None:
    """The message passes, and it is noted that its wait would be ours."""
    hall = Hall()
    hall.yard.join("w", Scripted())
    of = hall.message()
    assert await hall.admit(of) == Accepted("x")
    assert not of.waited


async def test_a_message_behind_others_is_known_to_wait() -> None:
    """More waiting than free slots: its wait is not the router's doing. Stored messages too."""
    hall = Hall()
    hall.yard.join("w", Scripted(), slots=2)
    hall.waiting = [0, 0, 0, 0, 2]
    for stored in (False, True):
        of = hall.message()
        of.stored = stored
        await hall.admit(of)
        assert of.waited
    hall.waiting = [0, 0, 0, 0, 1]
    of = hall.message()
    await hall.admit(of)
    assert not of.waited


async def test_a_pool_without_workers_refuses_at_once() -> None:
    """Retryable, and the refusal says which class and pool have nobody."""
    refused = await Hall().admit(Hall().message())
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.retryable, refused.message_class) == (Refusal.NO_WORKER, True, "tactical")
    assert "'coders'" in refused.detail


async def test_workers_that_are_only_away_are_waited_for() -> None:
    """Drained or broken is not gone."""
    hall = Hall()
    endpoint = hall.yard.join("w", Scripted())
    hall.yard.pool.drain(endpoint, draining=True)
    assert await hall.admit(hall.message()) == Accepted("x")


async def test_beside_an_old_router_nobody_waits_for_workers_that_may_not_be_called() -> None:
    """It answers at once, and the guard hears of it; but whoever is a trial for the worker passes."""
    hall = Hall(helped=True)
    endpoint = hall.yard.join("w", Scripted())
    of = beside(hall)
    endpoint.breaker.force_open()
    hall.yard.pool.refresh(endpoint)
    refused = await hall.admit(of)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.retryable) == (Refusal.NO_WORKER, True)
    hall.helper.join("p", Scripted())
    assert await hall.admit(of) == Accepted("x")
    assert isinstance(await hall.admit(beside(hall, strict=True)), Refused)
    of.stored = True
    assert await hall.admit(of) == Accepted("x")


async def test_a_trial_is_admitted_beside_an_old_router() -> None:
    """Otherwise a worker that has come back would never be found out."""
    hall = Hall()
    endpoint = hall.yard.join("w", Scripted())
    while endpoint.breaker.state is not BreakerState.OPEN:
        endpoint.breaker.record(endpoint.breaker.acquire(0.0) or 0, 0.0, ok=False)
    hall.yard.pool.refresh(endpoint)
    assert isinstance(await hall.admit(beside(hall)), Refused)
    await hall.clock.sleep(endpoint.breaker.wakes_at() or 0.0)
    hall.yard.pool.advance(hall.clock.monotonic())
    assert hall.yard.pool.down_since is not None
    assert await hall.admit(beside(hall)) == Accepted("x")


async def test_a_helper_counts_where_the_message_may_go_there() -> None:
    """Only if that pool has a worker, and never for a strict message."""
    hall = Hall(helped=True)
    assert isinstance(await hall.admit(hall.message()), Refused)
    hall.helper.join("p", Scripted())
    assert await hall.admit(hall.message()) == Accepted("x")
    assert isinstance(await hall.admit(hall.message(strict=True)), Refused)


async def test_a_stored_message_waits_for_a_worker_however_long() -> None:
    """Nobody stands there waiting for it."""
    hall = Hall()
    of = hall.message()
    of.stored = True
    assert await hall.admit(of) == Accepted("x")


async def test_a_sender_that_would_wait_in_vain_is_told_at_once() -> None:
    """With when to come again; a longer time to live is a reason to take it."""
    hall = Hall()
    await hall.learn(10.0)
    hall.waiting = [0, 0, 30, 0, 0]
    refused = await hall.admit(hall.message(ttl_s=60.0))
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.retryable, refused.message_class) == (Refusal.OVERLOADED, True, "tactical")
    assert refused.retry_after_s is not None
    assert refused.retry_after_s > 0.0
    assert "30 messages" in refused.detail
    assert await hall.admit(hall.message(ttl_s=3600.0)) == Accepted("x")


@pytest.mark.parametrize("priority", PRIORITIES)
async def test_what_comes_after_a_message_does_not_delay_it(priority: str) -> None:
    """A long line of low priority turns away those behind it, and nobody that goes before it."""
    hall = Hall()
    await hall.learn(10.0)
    hall.waiting = [0, 0, 0, 1000, 0]
    receipt = await hall.admit(hall.message(priority=priority, ttl_s=60.0))
    assert isinstance(receipt, Refused) == (priority in {"low", "bulk"})


async def test_nobody_is_refused_on_a_guess() -> None:
    """As long as no service time was measured, a long line is only long."""
    hall = Hall()
    endpoint = hall.yard.join("w", Scripted())
    endpoint.load.start()
    hall.yard.pool.changed(endpoint)
    hall.waiting = [0, 0, 1000, 0, 0]
    assert await hall.admit(hall.message(ttl_s=1.0)) == Accepted("x")
