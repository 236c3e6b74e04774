"""A worker before it has joined: known, but it takes nothing."""

from __future__ import annotations

from pointsman.core.breaker import CircuitBreaker
from pointsman.core.load import FleetMean, WorkerLoad
from pointsman.model.outcome import Failed, Failure
from pointsman.model.settings import BreakerSettings, WorkerSettings
from pointsman.runtime.endpoint import Endpoint
from pointsman.sim import SimClock
from pointsman.testing.make import attempt
from tests.runtime.fleet_of import Scripted, Yard


async def test_a_worker_without_a_stack_fails_a_message_unsent() -> None:
    """A bug that called it too early would lose nothing: the message may go elsewhere."""
    transport = Scripted()
    load = WorkerLoad("w", 1, FleetMean())
    yard = Yard(SimClock())
    endpoint = Endpoint(WorkerSettings(id="w"), load, CircuitBreaker(BreakerSettings(), yard.rng), transport)
    outcome = await endpoint.deliver(attempt())
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.sent) == (Failure.WORKER_LEFT, False)
    assert transport.sent == []


async def test_it_is_known_by_the_id_of_its_settings() -> None:
    """And begins as nothing: not up, no slots, not held, not draining."""
    endpoint = Yard(SimClock()).endpoint("w", Scripted(), 3)
    assert endpoint.id == "w"
    assert (endpoint.up, endpoint.free, endpoint.held_until, endpoint.draining) == (False, 0, 0.0, False)
