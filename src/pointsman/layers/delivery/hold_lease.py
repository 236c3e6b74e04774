"""Keeps the engine's lease alive while the attempt runs."""

from __future__ import annotations

from pointsman.model.outcome import Outcome
from pointsman.ports import Attempt, Deliver
from pointsman.runtime.leases import LeaseKeeper


class HoldLease:
    """Registers the attempt with the lease keeper for as long as the inner call runs.

    Position: after RescueDelivery, before Expire and Pick because the lease must be held from the first step that may
    wait to the last byte of the answer.
    """

    def __init__(self, keeper: LeaseKeeper) -> None:
        self._keeper = keeper

    def __call__(self, inner: Deliver) -> Deliver:
        """Wrap `inner`."""
        keeper = self._keeper

        async def deliver(attempt: Attempt) -> Outcome:
            keeper.hold(attempt)
            try:
                return await inner(attempt)
            finally:
                keeper.let_go(attempt)

        return deliver
