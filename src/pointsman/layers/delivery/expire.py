"""The last look at the clock: an expired message never reaches a worker."""

from __future__ import annotations

from pointsman.model.outcome import Expired, Outcome
from pointsman.ports import Attempt, Clock, Deliver


class Expire:
    """Returns `Expired` where the time to live is over.

    Position: after HoldLease, before Pick because a worker must never be chosen for what nobody waits for.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, inner: Deliver) -> Deliver:
        """Wrap `inner`."""
        monotonic = self._clock.monotonic

        async def deliver(attempt: Attempt) -> Outcome:
            if attempt.envelope.expires_at <= monotonic():
                return Expired()
            return await inner(attempt)

        return deliver
