"""The breaker layer: permits are taken and given back, and the pool learns of every change."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.layers.endpoint.breaker import Breaker
from pointsman.model.outcome import Delivered, Failed, Failure
from pointsman.model.settings import BreakerSettings
from pointsman.sim import SimClock
from pointsman.testing.make import attempt
from pointsman.testing.probe import Probe
from tests.runtime.fleet_of import Scripted, Yard


async def test_an_open_breaker_refuses_without_a_call() -> None:
    """Forced open, the inner call does not happen and the outcome says that nothing was sent."""
    yard = Yard(SimClock())
    endpoint = yard.join("w", Scripted())
    endpoint.breaker.force_open()
    inner = Probe(Delivered("w"))
    outcome = await Breaker(endpoint, yard.pool, yard.clock)(inner)(attempt())
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.sent) == (Failure.BREAKER_OPEN, False)
    assert inner.seen == []


async def test_failures_open_it_and_the_pool_goes_down() -> None:
    """The worker is out of the free set as soon as the last failure is recorded."""
    yard = Yard(SimClock(), breaker=BreakerSettings(failures=2))
    endpoint = yard.join("w", Scripted(), slots=3)
    deliver = Breaker(endpoint, yard.pool, yard.clock)(Probe(Failed(Failure.WORKER_TIMEOUT, "", sent=True)))
    await deliver(attempt())
    assert yard.pool.free == 3
    await deliver(attempt())
    assert (endpoint.breaker.state, yard.pool.free) == ("open", 0)


async def test_a_cancelled_call_counts_for_nothing() -> None:
    """However often callers go away, the breaker stays closed."""
    yard = Yard(SimClock(), breaker=BreakerSettings(failures=2))
    endpoint = yard.join("w", Scripted())
    deliver = Breaker(endpoint, yard.pool, yard.clock)(Probe(asyncio.CancelledError()))
    for _ in range(10):
        with pytest.raises(asyncio.CancelledError):
            await deliver(attempt())
    assert endpoint.breaker.state == "closed"


async def test_a_cancelled_trial_gives_its_permit_back() -> None:
    """In half open a trial that is cancelled does not wedge the worker."""
    yard = Yard(SimClock(), breaker=BreakerSettings(failures=1, open_s=1.0, successes=1))
    endpoint = yard.join("w", Scripted())
    await Breaker(endpoint, yard.pool, yard.clock)(Probe(Failed(Failure.WORKER_ERROR, "", sent=True)))(attempt())
    wakes_at = endpoint.breaker.wakes_at()
    assert wakes_at is not None
    await yard.clock.sleep_until(wakes_at)
    yard.pool.advance(yard.clock.monotonic())
    with pytest.raises(asyncio.CancelledError):
        await Breaker(endpoint, yard.pool, yard.clock)(Probe(asyncio.CancelledError()))(attempt())
    assert yard.pool.free == 1
    await Breaker(endpoint, yard.pool, yard.clock)(Probe(Delivered("w")))(attempt())
    assert endpoint.breaker.state == "closed"
