"""The measure layer of delivery: each hand-out leaves one record and one event, also when it is cancelled."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from pointsman.layers.delivery.measure import LONGEST_TRAIL, MeasureDelivery
from pointsman.model.events import AttemptEnded, Event
from pointsman.model.outcome import Delivered, Expired, Failed, Failure
from pointsman.model.usage import Usage
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
    out.worker, out.worker_s, out.parked_s, out.preferred = "w", 0.5, 1.0, "v"
    clock.advance(2.0)
    outcome = await MeasureDelivery(clock, events.append)(Probe(OUTCOMES[result]))(out)
    assert outcome is OUTCOMES[result]
    (record,) = out.envelope.trail
    assert (record.number, record.worker, record.result, record.took_s, record.worker_s) == (1, "w", result, 2.0, 0.5)
    assert (record.parked_s, record.preferred) == (1.0, "v")
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


def half_a_token(name: str, usage: Usage) -> float | None:
    """Half a unit of money a token for model `m`; others have no price."""
    return usage.tokens * 0.5 if name == "m" else None


async def test_what_an_attempt_took_is_priced_and_told() -> None:
    """By the price of its worker's model; in the record, the event and the message's sums."""
    clock, events = FakeClock(), list[Event]()
    out = attempt(at=clock.monotonic())
    out.usage, out.price_name, out.first_token_at = Usage(10, 4, 0, 2), "m", clock.monotonic() + 0.25
    await MeasureDelivery(clock, events.append, half_a_token)(Probe(OUTCOMES["delivered"]))(out)
    (record,), (event,) = out.envelope.trail, events
    assert isinstance(event, AttemptEnded)
    assert (record.usage, record.cost, record.first_token_s) == (out.usage, 6.0, 0.25)
    assert (event.usage, event.cost) == (out.usage, 6.0)
    assert (out.envelope.usage, out.envelope.cost) == (out.usage, 6.0)


async def test_a_message_took_what_all_its_attempts_took() -> None:
    """Those without a price add their tokens and no money; a cancelled one counts too."""
    clock = FakeClock()
    of = attempt().envelope
    for name, answer in (("m", OUTCOMES["worker_error"]), ("unknown", OUTCOMES["worker_error"]), ("m", None)):
        out = attempt(of, at=clock.monotonic())
        out.usage, out.price_name = Usage(10, 4, 1, 2), name
        inner = Probe(asyncio.CancelledError() if answer is None else answer)
        with contextlib.suppress(asyncio.CancelledError):
            await MeasureDelivery(clock, lambda event: None, half_a_token)(inner)(out)
    assert of.usage == Usage(30, 12, 3, 6)
    assert of.cost == 12.0
    assert [record.cost for record in of.trail] == [6.0, None, 6.0]


async def test_what_nobody_knows_is_not_made_up() -> None:
    """Without usage there is no cost, and without a first token no time of it."""
    clock = FakeClock()
    out = attempt(at=clock.monotonic())
    out.price_name = "m"
    await MeasureDelivery(clock, lambda event: None, half_a_token)(Probe(OUTCOMES["delivered"]))(out)
    (record,) = out.envelope.trail
    assert (record.usage, record.cost, record.first_token_s) == (None, None, None)
    assert (out.envelope.usage, out.envelope.cost) == (None, None)
