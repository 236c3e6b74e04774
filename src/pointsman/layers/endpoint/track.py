"""Counts what a worker has in hand and learns how long it takes."""

from __future__ import annotations

from pointsman.core import health
from pointsman.core.breaker import BreakerState
from pointsman.model.outcome import Failed, Failure, Outcome
from pointsman.ports import Attempt, Clock, Deliver
from pointsman.runtime.endpoint import Endpoint
from pointsman.runtime.fares import price_name
from pointsman.runtime.pool import Pool

_SHORTEST_HOLD_S = 0.25
_LONGEST_HOLD_S = 300.0


class Track:
    """Takes a slot for as long as the inner call runs, whatever comes of it, and feeds the load.

    Position: first, because the slot must be taken before anything may wait and given back after everything, and before
    Breaker because a worker's load changes even when its breaker refuses.
    """

    def __init__(self, endpoint: Endpoint, pool: Pool, clock: Clock) -> None:
        self._endpoint = endpoint
        self._pool = pool
        self._clock = clock

    def __call__(self, inner: Deliver) -> Deliver:
        """Wrap `inner`."""
        endpoint, pool, monotonic = self._endpoint, self._pool, self._clock.monotonic
        price = price_name(endpoint.settings)

        async def deliver(attempt: Attempt) -> Outcome:
            load = endpoint.load
            load.start()
            pool.changed(endpoint)
            envelope = attempt.envelope
            attempt.worker = envelope.worker = endpoint.id
            attempt.price_name = price
            started = envelope.handed_at = monotonic()
            envelope.fell_back = attempt.pool != envelope.pool
            good: bool | None = None
            try:
                outcome = await inner(attempt)
                good = health.verdict(outcome)
            finally:
                now = monotonic()
                took_s = now - started
                attempt.worker_s += took_s
                load.finish(now, took_s, good)
                if endpoint.breaker.state is BreakerState.CLOSED:
                    pool.changed(endpoint)
                else:
                    pool.refresh(endpoint)
            if type(outcome) is Failed and outcome.reason is Failure.WORKER_BUSY:
                wish_s = outcome.retry_after_s or _SHORTEST_HOLD_S
                pool.hold(endpoint, now + min(max(wish_s, _SHORTEST_HOLD_S), _LONGEST_HOLD_S))
            return outcome

        return deliver
