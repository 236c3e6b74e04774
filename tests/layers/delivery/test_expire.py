"""The expiry layer: an expired message never reaches a worker."""

from __future__ import annotations

from pointsman.layers.delivery.expire import Expire
from pointsman.model.outcome import Delivered, Expired
from pointsman.testing import FakeClock
from pointsman.testing.make import attempt, envelope
from pointsman.testing.probe import Probe


async def test_an_expired_message_never_reaches_a_worker() -> None:
    """One instant before its time it passes; at its time it does not."""
    clock = FakeClock()
    inner = Probe(Delivered("w"))
    deliver = Expire(clock)(inner)
    out = attempt(envelope(at=clock.monotonic(), ttl_s=1.0))
    clock.advance(0.999)
    assert await deliver(out) == Delivered("w")
    clock.advance(0.001)
    assert await deliver(out) == Expired()
    assert len(inner.seen) == 1
