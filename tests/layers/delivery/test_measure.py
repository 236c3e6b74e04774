"""The measure layer of delivery: each hand-out leaves one record and one event, also when it is cancelled."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.layers.delivery.measure import LONGEST_TRAIL, MeasureDelivery
from pointsman.model.events import AttemptEnded, Event
from pointsman.model.outcome import Delivered, Expired, Failed, Failure
from pointsman.testing import FakeClock
from pointsman.testing.make import attempt
from pointsman.testing.probe import Probe

OUTCOMES = {
    "delivered": Delivered("w"),
    "expired": Expired(),
    "worker_error": Failed(Failure.WORKER_ERROR, "broke", worker="w", sent=True),
}


@pytest.mark.parametrize("result", OUTCOMES)
async def test_writes_the_trail(result: str) -> None:
    """The record says where, how long and what came of it."""
    clock, events = FakeClock(), list[Event]()
    out = attempt(at=clock.monotonic())
    out.worker, out.worker_s = "w", 0.5
    clock.advance(2.0)
    outcome = await MeasureDelivery(clock, events.append)(Probe(OUTCOMES[result]))(out)
    assert outcome is OUTCOMES[result]
    (record,) = out.envelope.trail
    assert (record.number, record.worker, record.result, record.took_s, record.worker_s) == (1, "w", result, 2.0, 0.5)
    (event,) = events
    assert isinstance(event, AttemptEnded)
    assert event.outcome is outcome


async def test_a_cancelled_attempt_is_recorded_too() -> None:
    """Its record says cancelled, its event carries no outcome, and the cancellation goes on."""
    clock, events = FakeClock(), list[Event]()
    out = attempt(at=clock.monotonic())
    with pytest.raises(asyncio.CancelledError):
        await MeasureDelivery(clock, events.append)(Probe(asyncio.CancelledError()))(out)
    assert out.envelope.trail[0].result == "cancelled"
    (event,) = events
    assert isinstance(event, AttemptEnded)
    assert event.outcome is None


async def test_a_trail_that_grows_for_hours_is_bounded() -> None:
    """The first hand-outs and the latest are kept; the numbers show that there were others."""
    clock = FakeClock()
    busy = Failed(Failure.WORKER_BUSY, "later", worker="w")
    deliver = MeasureDelivery(clock, lambda event: None)(Probe(busy))
    of = attempt().envelope
    of.attempt = 0
    for _ in range(1000):
        await deliver(attempt(of))
    numbers = [record.number for record in of.trail]
    assert len(numbers) == LONGEST_TRAIL
    assert numbers[:8] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert numbers[8:] == list(range(1001 - (LONGEST_TRAIL - 8), 1001))
