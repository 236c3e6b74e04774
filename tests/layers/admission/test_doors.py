"""The doors layer: closed means draining, and nothing passes."""

from __future__ import annotations

from pointsman.layers.admission.doors import Doors
from pointsman.model.outcome import Accepted, Refusal, Refused
from pointsman.testing.make import envelope
from pointsman.testing.probe import Probe


async def test_passes_while_open_and_refuses_once_closed() -> None:
    """A closed door refuses with draining, retryable, and the inner function is not called."""
    is_open = True
    inner = Probe(Accepted("x"))
    admit = Doors(lambda: is_open)(inner)
    assert await admit(envelope()) == Accepted("x")
    is_open = False
    refused = await admit(envelope())
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.retryable) == (Refusal.DRAINING, True)
    assert len(inner.seen) == 1
