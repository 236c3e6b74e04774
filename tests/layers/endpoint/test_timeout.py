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
    outcome = await Timeout(yard.join("w", Scripted()), yard.deadlines, yard.clock)(silent)(out)
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.sent, outcome.worker) == (Failure.WORKER_TIMEOUT, True, "w")
    assert yard.clock.monotonic() - began == 5.0
    assert cancelled == [out]


async def test_leaves_a_quick_call_alone() -> None:
    """An answer in time passes unchanged."""
    yard = Yard(SimClock())
    assert await Timeout(yard.join("w", Scripted()), yard.deadlines, yard.clock)(Probe(Delivered("w")))(
        attempt()
    ) == Delivered("w")


async def test_a_cancellation_from_outside_is_no_timeout() -> None:
    """Whoever cancels the delivery sees it cancelled, also when the deadline comes at the same moment."""
    yard = Yard(SimClock())

    async def silent(out: object) -> Delivered:
        await asyncio.sleep(1e6)
        return Delivered("w")

    deliver = Timeout(yard.join("w", Scripted()), yard.deadlines, yard.clock)(silent)
    for cancelled_at in (1.0, 5.0):
        task = asyncio.ensure_future(deliver(attempt(timeout_s=5.0)))
        await asyncio.sleep(0)
        # Set after the deadline, so that at 5.0 the deadline comes first, and the task has not run in between.
        asyncio.get_running_loop().call_later(cancelled_at, task.cancel)
        await asyncio.wait([task])
        assert task.cancelled()
    assert len(yard.deadlines) == 0


async def test_a_call_that_ends_in_spite_of_its_timeout_keeps_its_outcome() -> None:
    """A transport that answers while it is being cancelled has answered, and the task is not left half cancelled."""
    yard = Yard(SimClock())

    async def stubborn(out: object) -> Delivered:
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            return Delivered("w")
        return Delivered("never")

    deliver = Timeout(yard.join("w", Scripted()), yard.deadlines, yard.clock)(stubborn)
    assert await deliver(attempt(timeout_s=5.0)) == Delivered("w")
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
