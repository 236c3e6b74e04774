"""Counts of a rollout: messages by lane and fallbacks since the stage began, the shadow since the rollout began.

Every set of names here is closed, or bounded: counts never grow with what clients send. They begin at nothing with each
process.
"""

from __future__ import annotations

from typing import Final

from pointsman.model.events import Mirrored
from pointsman.model.rollout import DIFFERENCES, SHADOW_DROPS, Lane

MOST_REASONS: Final = 64
"""Reasons of fallbacks that are told apart; any further one is `other`."""

_OUTCOMES: Final = ("compared", "dropped", "timed_out")
_KINDS: Final = frozenset({*DIFFERENCES, *SHADOW_DROPS})


class Tally:
    """Counts.

    Attributes:
        lanes: messages by lane, since the stage began.
        fallbacks: by reason, since the stage began.
        shadow: `sampled`, what came of those, and each kind that occurred, since the rollout began.
    """

    def __init__(self) -> None:
        self.lanes: dict[Lane, int] = {}
        self.fallbacks: dict[str, int] = {}
        self.shadow: dict[str, int] = {}
        self.begin_rollout()

    def begin_rollout(self) -> None:
        """Begin everything at nothing."""
        self.shadow = dict.fromkeys(("sampled", *_OUTCOMES), 0)
        self.begin_stage()

    def begin_stage(self) -> None:
        """Begin messages and fallbacks at nothing."""
        # Changed in place: the message path holds on to it.
        self.lanes.update(dict.fromkeys(Lane, 0))
        self.fallbacks = {}

    def realised_share(self) -> float | None:
        """Return the share of messages that the candidate answered, or None where there were none."""
        messages = sum(self.lanes.values())
        return self.lanes[Lane.CANDIDATE] / messages if messages else None

    def fell_back(self, reason: str) -> None:
        """Count a fallback."""
        if reason not in self.fallbacks and len(self.fallbacks) >= MOST_REASONS:
            reason = "other"
        self.fallbacks[reason] = self.fallbacks.get(reason, 0) + 1

    def mirrored(self, event: Mirrored) -> None:
        """Count a message of the shadow."""
        self.shadow["sampled"] += 1
        if event.outcome in _OUTCOMES:
            self.shadow[event.outcome] += 1
        if event.kind in _KINDS:
            self.shadow[event.kind] = self.shadow.get(event.kind, 0) + 1
