"""The measure layer at admission: every message is told of once, as admitted or refused."""

from __future__ import annotations

from pointsman.layers.admission.measure import Measure
from pointsman.model.events import Admitted, Event, MessageRefused
from pointsman.model.outcome import Accepted, Refusal, Refused
from pointsman.testing import FakeClock
from pointsman.testing.make import envelope
from pointsman.testing.probe import Probe


async def test_tells_of_an_admission_with_its_times() -> None:
    """An accepted message is one Admitted event with the times its envelope carries."""
    events: list[Event] = []
    message = envelope()
    message.admission_s, message.classify_s = 0.25, 0.125
    receipt = await Measure(FakeClock(), events.append)(Probe(Accepted("x")))(message)
    assert receipt == Accepted("x")
    (event,) = events
    assert isinstance(event, Admitted)
    assert (event.envelope, event.admission_s, event.classify_s) == (message, 0.25, 0.125)


async def test_tells_of_a_refusal_with_its_reason() -> None:
    """A refused message is one MessageRefused event, and the refusal reaches the caller unchanged."""
    events: list[Event] = []
    refused = Refused(Refusal.HARMFUL, "no")
    receipt = await Measure(FakeClock(), events.append)(Probe(refused))(envelope())
    assert receipt is refused
    (event,) = events
    assert isinstance(event, MessageRefused)
    assert event.refused is refused
