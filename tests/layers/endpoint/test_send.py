"""The leaf of a worker's stack: the transport gets the attempt, its outcome is the answer."""

from __future__ import annotations

from pointsman.layers.endpoint.send import Send
from pointsman.model.outcome import Failed, Failure
from pointsman.sim import SimClock
from pointsman.testing.make import attempt
from tests.runtime.fleet_of import Scripted, Yard


async def test_hands_the_attempt_to_the_transport() -> None:
    """Nothing is added and nothing is taken away."""
    outcome = Failed(Failure.WORKER_GARBAGE, "?", worker="w", sent=True)
    transport = Scripted(outcome)
    out = attempt()
    assert await Send(Yard(SimClock()).join("w", transport))(out) is outcome
    assert transport.sent == [out]
