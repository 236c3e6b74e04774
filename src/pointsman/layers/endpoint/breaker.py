"""Asks the worker's circuit breaker, and tells it what came of the call."""

from __future__ import annotations

from pointsman.core import health
from pointsman.core.breaker import BreakerState
from pointsman.model.outcome import Failed, Failure, Outcome
from pointsman.ports import Attempt, Clock, Deliver
from pointsman.runtime.endpoint import Endpoint
from pointsman.runtime.pool import Pool

CLOSED = BreakerState.CLOSED


class Breaker:
    """Refuses calls while the breaker is open; records each outcome under the permit it was given.

    Position: after Track because a call that is let through must hold a slot, before Limit, Timeout and Send because
    their failures are what it counts.
    """

    def __init__(self, endpoint: Endpoint, pool: Pool, clock: Clock) -> None:
        self._endpoint = endpoint
        self._pool = pool
        self._clock = clock

    def __call__(self, inner: Deliver) -> Deliver:
        """Wrap `inner`."""
        endpoint, pool, monotonic = self._endpoint, self._pool, self._clock.monotonic
        breaker = endpoint.breaker

        async def deliver(attempt: Attempt) -> Outcome:
            permit = breaker.acquire(monotonic())
            if permit is None:
                pool.refresh(endpoint)
                return Failed(Failure.BREAKER_OPEN, f"breaker of {endpoint.id!r} is open", worker=endpoint.id)
            if breaker.state is not CLOSED:
                pool.refresh(endpoint)
            good: bool | None = None
            try:
                outcome = await inner(attempt)
                good = health.verdict(outcome)
                return outcome
            finally:
                breaker.record(permit, monotonic(), good)
                if breaker.state is not CLOSED or endpoint.was_state is not CLOSED:
                    pool.refresh(endpoint)

        return deliver
