"""The limit layer: a worker never gets more than it was said to take."""

from __future__ import annotations

from pointsman.layers.endpoint.limit import Limit
from pointsman.model.outcome import Delivered, Failed, Failure
from pointsman.sim import SimClock
from pointsman.testing.make import attempt
from pointsman.testing.probe import Probe
from tests.runtime.fleet_of import Scripted, Yard


async def test_turns_away_what_is_above_the_limit_unsent() -> None:
    """With its limit lowered under what it has in hand, the next call is turned away as busy."""
    endpoint = Yard(SimClock()).join("w", Scripted(), slots=2)
    inner = Probe(Delivered("w"))
    deliver = Limit(endpoint)(inner)
    endpoint.load.start()
    endpoint.load.start()
    assert await deliver(attempt()) == Delivered("w")
    endpoint.load.limit = 1
    outcome = await deliver(attempt())
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.sent) == (Failure.WORKER_BUSY, False)
    assert len(inner.seen) == 1
