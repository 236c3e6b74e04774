"""How much of what a sender says of its messages may be learnt, so that no sender speaks for all.

Each sender has a token bucket that is filled by what the *others* say: a sender alone learns nothing but its first
`BURST`, and one that shouts learns no more than its share of what all say, however loud. No clock is needed, and what
a pause of a night does to it is nothing.

The share is half as much again as an equal one, but a twentieth at least and a fifth at most. So among many senders
one at a tenth of the traffic is heard as a twentieth, and among three each is heard as a fifth. Keys that work together
are as many senders as there are keys: whoever gives out keys decides how far that goes.

Source: the token bucket of RFC 2697, filled by events in place of seconds.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

LEAST_SHARE: Final = 1 / 20
MOST_SHARE: Final = 1 / 5
OVER_EQUAL: Final = 1.5
"""Times an equal share, as real senders are never equal."""

BURST: Final = 5.0
"""Weight that may be learnt at once of a sender that was silent, or is new."""

MOST_SENDERS: Final = 1_000
"""Senders that are told apart; the one silent for longest is forgotten, and is new when it comes back."""


class Allowance:
    """A bucket for each sender. Weights are those of single feedbacks, 0..1."""

    def __init__(self) -> None:
        self._offered = 0.0
        # Of each sender: tokens, what the others had offered when they were last counted, what it offered itself.
        self._buckets: OrderedDict[str, tuple[float, float, float]] = OrderedDict()

    def __len__(self) -> int:
        """Senders known."""
        return len(self._buckets)

    @property
    def share(self) -> float:
        """Of all that is learnt, what one sender may be at most, 0..1."""
        return min(MOST_SHARE, max(LEAST_SHARE, OVER_EQUAL / max(1, len(self._buckets))))

    def take(self, sender: str, wanted: float) -> float:
        """Return how much of `wanted` may be learnt, 0..wanted, and count it."""
        tokens, counted, own = self._buckets.pop(sender, (BURST, self._offered, 0.0))
        others = self._offered - own
        self._buckets[sender] = (tokens, counted, own)
        share = self.share
        tokens = min(BURST, tokens + share / (1.0 - share) * max(0.0, others - counted))
        granted = min(wanted, tokens)
        self._offered += wanted
        self._buckets[sender] = (tokens - granted, others, own + wanted)
        if len(self._buckets) > MOST_SENDERS:
            self._buckets.popitem(last=False)
        return granted

    def give_back(self, sender: str, wanted: float, granted: float) -> None:
        """Count a feedback no more: what was wanted and granted of it is as if it had not been."""
        bucket = self._buckets.get(sender)
        if bucket is not None:
            tokens, counted, own = bucket
            self._offered -= wanted
            self._buckets[sender] = (min(BURST, tokens + granted), counted, own - wanted)
