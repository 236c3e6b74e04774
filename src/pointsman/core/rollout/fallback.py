"""Decides whether the old router may answer a message that this one failed at: only where no worker can have seen it.

A message is never executed twice. So a refusal counts only where it is this router's own doing and not the sender's,
and an end only where every hand-out certainly reached no worker. One that expired is not tried again either: its
sender has said that it is worth nothing by then.
"""

from __future__ import annotations

from typing import Final

from pointsman.core.rollout.outcomes import OWN_FAULT
from pointsman.model.message import Envelope
from pointsman.model.outcome import Refusal, Refused
from pointsman.model.states import Status

FALLING_BACK: Final = OWN_FAULT | {Refusal.NOT_STORED, Refusal.DRAINING}
"""Refusals after which the old router may answer: this router's doing, what it cannot do, and that it is stopping."""


def after_refusal(refused: Refused) -> str:
    """Return the reason of the fallback, a `Refusal`; empty where there is to be none."""
    return refused.reason.value if refused.reason in FALLING_BACK else ""


def after_end(status: str, envelope: Envelope) -> str:
    """Return the reason of the fallback: what the last hand-out came to; empty where there is to be none.

    Args:
        status: how the message ended, or where it is.
        envelope: the message, with what was counted on its way.
    """
    if status != Status.DEAD or envelope.unsent < envelope.attempt:
        return ""
    return envelope.trail[-1].result if envelope.trail else Status.DEAD.value
