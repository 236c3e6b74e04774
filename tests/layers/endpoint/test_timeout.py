"""Time-outs: the call is cancelled on time, and what it did by then is unknown."""

from __future__ import annotations

import asyncio

from pointsman.layers.endpoint.timeout import Timeout
from pointsman.model.outcome import Delivered, Failed, Failure
from pointsman.sim import SimClock
from pointsman.testing.make import attempt
from pointsman.testing.probe import Probe
from tests.runtime.fleet_of import Scripted, Yard


async def test_ends_a_call_that_takes_too_long() -> None:
    """At the time-out the inner call is cancelled and the attempt fails as sent."""
    yard = Yard(SimClock())
    cancelled = []

    async def silent(out: object) -> Delivered:
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            cancelled.append(out)
            raise
        return Delivered("w")

    out = attempt(timeout_s=5.0)
    began = yard.clock.monotonic()
    outcome = await Timeout(yard.join("w", Scripted()))(silent)(out)
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.sent, outcome.worker) == (Failure.WORKER_TIMEOUT, True, "w")
    assert yard.clock.monotonic() - began == 5.0
    assert cancelled == [out]


async def test_leaves_a_quick_call_alone() -> None:
    """An answer in time passes unchanged."""
    yard = Yard(SimClock())
    assert await Timeout(yard.join("w", Scripted()))(Probe(Delivered("w")))(attempt()) == Delivered("w")
