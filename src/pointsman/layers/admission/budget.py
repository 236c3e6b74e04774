"""Spends no more than the budgets allow."""

from __future__ import annotations

from collections.abc import Callable

from pointsman.model.message import Envelope
from pointsman.model.outcome import Accepted, Receipt
from pointsman.model.usage import Estimate
from pointsman.ports import Admit, Purse


class Budget:
    """Refuses with `budget_exceeded` what a budget cannot pay, and reserves what it can.

    Where there are prices, budgets or quotas it also says what the message is expected to take. What a later layer
    refuses, or breaks over, has its reservation released; so has what repeats a message that is ours already.

    Position: after Classify because class and pool decide who pays and how much, before Shed because it tells a sender
    for how long to stay away, where Shed says "soon".
    """

    def __init__(self, purse: Purse, estimate: Callable[[Envelope], Estimate] | None) -> None:
        self._purse = purse
        self._estimate = estimate

    def __call__(self, inner: Admit) -> Admit:
        """Wrap `inner`."""
        purse, estimate = self._purse, self._estimate

        async def admit(envelope: Envelope) -> Receipt:
            if estimate is None:
                return await inner(envelope)
            envelope.estimate = estimate(envelope)
            refused = purse.reserve(envelope)
            if refused is not None:
                return refused
            kept = False
            try:
                receipt = await inner(envelope)
                kept = type(receipt) is Accepted and not receipt.duplicate
                return receipt
            finally:
                if not kept:
                    purse.release(envelope)

        return admit
