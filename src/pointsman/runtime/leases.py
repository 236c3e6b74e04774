"""Keeps the engine's leases alive while attempts run: one loop for all of them, three renewals in a lease's length."""

from __future__ import annotations

from collections.abc import Callable

from pointsman.model.errors import EngineError
from pointsman.ports import Attempt, Clock, Engine


class LeaseKeeper:
    """Leases in hand.

    Args:
        engine: whose leases they are.
        clock: time.
        lease_s: length of a lease, seconds.
        lost: called with the message id of a lease that could not be renewed.
    """

    def __init__(self, engine: Engine, clock: Clock, lease_s: float, lost: Callable[[str], None]) -> None:
        self._engine = engine
        self._clock = clock
        self._lease_s = lease_s
        self._lost = lost
        self._held: dict[int, tuple[Attempt, float]] = {}

    def hold(self, attempt: Attempt) -> None:
        """Renew this attempt's lease from now on."""
        self._held[id(attempt)] = (attempt, attempt.started_at)

    def let_go(self, attempt: Attempt) -> None:
        """Stop renewing it."""
        self._held.pop(id(attempt), None)

    async def run(self) -> None:
        """Renew for ever; a lease younger than a third of its length is left for the next round."""
        period_s = self._lease_s / 3.0
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + period_s)
            for attempt, since in list(self._held.values()):
                if self._clock.monotonic() - since >= period_s:
                    await self._renew(attempt)

    async def _renew(self, attempt: Attempt) -> None:
        try:
            await self._engine.renew(attempt.lease, self._lease_s)
        except EngineError:
            self.let_go(attempt)
            self._lost(attempt.envelope.id)
