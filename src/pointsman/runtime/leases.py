"""Keeps the engine's leases alive while attempts run: one loop for all of them, three renewals in a lease's length.

A lease may run out although its attempt goes on: where the event loop stood still for longer than a lease. If nobody
else was faster, the attempt keeps its message under a fresh lease, because the worker may well be fine. If somebody
was, or the message has ended, its result counts no more, and the delivery is cancelled: that one, and no later attempt.
"""

from __future__ import annotations

from pointsman.model.errors import EngineError, LeaseLost
from pointsman.ports import Attempt, Clock, Engine, Lease


class LeaseKeeper:
    """Leases in hand.

    Args:
        engine: whose leases they are.
        clock: time.
        lease_s: length of a lease, seconds.
    """

    def __init__(self, engine: Engine, clock: Clock, lease_s: float) -> None:
        self._engine = engine
        self._clock = clock
        self._lease_s = lease_s
        self._held: dict[tuple[str, int], Attempt] = {}

    def hold(self, attempt: Attempt) -> None:
        """Renew this attempt's lease from now on."""
        self._held[_key(attempt.lease)] = attempt

    def let_go(self, attempt: Attempt) -> None:
        """Stop renewing it."""
        self._held.pop(_key(attempt.lease), None)

    def revive(self, lease: Lease) -> bool:
        """Go on under a fresh lease where the attempt whose lease ran out is still in hand here; whether it is."""
        attempt = self._held.get(_key(lease))
        if attempt is None:
            return False
        attempt.lease = lease
        return True

    async def run(self) -> None:
        """Renew for ever; a lease younger than a third of its length is left for the next round."""
        period_s = self._lease_s / 3.0
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + period_s)
            await self._renew_all(period_s)

    async def _renew_all(self, period_s: float) -> None:
        # Not in the loop that sleeps: that would keep the last attempt, and its message's body, until the next round.
        for attempt in list(self._held.values()):
            if self._clock.monotonic() - attempt.started_at >= period_s:
                await self._renew(attempt)

    async def _renew(self, attempt: Attempt) -> None:
        try:
            await self._engine.renew(attempt.lease, self._lease_s)
        except LeaseLost:
            # Unless it has ended meanwhile, and its task does something else.
            if self._held.get(_key(attempt.lease)) is attempt:
                self.let_go(attempt)
                attempt.revoke()
        except EngineError:
            # The lease still holds for two thirds of its length; the next round may reach the engine.
            return

    def __len__(self) -> int:
        """Attempts in hand."""
        return len(self._held)


def _key(lease: Lease) -> tuple[str, int]:
    return lease.envelope.id, lease.attempt
