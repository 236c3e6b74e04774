"""The same message again and again: from which copy on it is a flood, and when it may come again.

Decides by exact repeats of one client. Does not see almost-equal texts, and does not know about idempotency
keys: a retry that carries one is not a copy, and the layer does not ask for it.

Per client and fingerprint a leaky counter: each copy adds one, one is forgotten every `leak_s` seconds, and
what would raise it above `copies` is refused. Refused copies count too, so a sender who hammers on gets
nothing through instead of one in each `leak_s`; but the counter never rises above `copies + 1`, so `2 *
leak_s` after the last copy one is accepted again, however long the flood was. There is no permanent state,
and nothing is shared between clients: a text that hundreds send ("status?") never counts against any of them.

Theory: the leaky bucket as a meter (ITU-T I.371); bounded memory by `core.generations`.
"""

from __future__ import annotations

from typing import Final

from pointsman.core.generations import Generations
from pointsman.model.errors import UsageError

_SLACK: Final = 1e-6
# Copies by which rounding may be off.


def fingerprint(text: str | bytes) -> int:
    """Return 64 bits that stand for a text within this process.

    Python's own hash of a string: SipHash with a key drawn at the start of the process, so that nobody can
    prepare two texts that collide, and remembered inside the string, so that asking twice is free. Trap: it
    differs from process to process, so it must never be stored or sent; and PYTHONHASHSEED takes the key
    away, so do not serve with it set.
    """
    return hash(text)


class FloodDetector:
    """Counts identical messages per client."""

    __slots__ = ("_copies", "_empty_at", "_leak_s")

    def __init__(self, copies: int, leak_s: float, max_tracked: int) -> None:
        """Make a detector that has seen nothing.

        Args:
            copies: identical messages of one client, from 1, before the next is refused.
            leak_s: one copy is forgotten every so many seconds, above 0.
            max_tracked: most fingerprints remembered, from 1. A flood is forgotten too early only if half as
                many other fingerprints come between two of its copies.

        Raises:
            UsageError: an argument is out of its range.
        """
        self._copies, self._leak_s = _checked(copies, leak_s)
        # When a counter will be empty, in leaks since instant 0: one copy adds exactly 1.0.
        self._empty_at: Generations[int] = Generations(max_tracked, (copies + 1) * leak_s)

    @property
    def tracked(self) -> int:
        """Fingerprints remembered; never more than `max_tracked`, or 2."""
        return len(self._empty_at)

    def check(self, client: str, fingerprint: int, now: float) -> float:
        """Count one copy and say whether it is a flood.

        Args:
            client: who sends it.
            fingerprint: of what is sent, see `fingerprint`.
            now: monotonic seconds.

        Returns:
            0.0 if it may pass. Else the seconds after which a copy is accepted again if none comes until
            then.
        """
        # One number instead of a pair: half the memory. Both parts are keyed, so a collision can only be
        # chance, 2**-64.
        key = hash((client, fingerprint))
        leaked = now / self._leak_s
        empty_at = self._empty_at.young.get(key)
        if empty_at is None:
            empty_at = self._empty_at.recall(key, now)
        if empty_at is None or empty_at < leaked:
            empty_at = leaked
        over = empty_at + 1.0 - leaked - self._copies
        if over <= _SLACK:
            self._empty_at.young[key] = empty_at + 1.0
            return 0.0
        over = min(over, 1.0)
        self._empty_at.young[key] = leaked + self._copies + over
        return (over + 1.0) * self._leak_s

    def resize(self, copies: int, leak_s: float, now: float) -> None:
        """Change the limits for everybody and keep the counts.

        Args:
            copies: as at construction.
            leak_s: as at construction.
            now: monotonic seconds.

        Raises:
            UsageError: an argument is out of its range; nothing has changed.
        """
        allowed, every_s = _checked(copies, leak_s)
        leaked, releaked = now / self._leak_s, now / every_s
        self._copies, self._leak_s = allowed, every_s

        def keep_count(empty_at: float) -> float:
            return releaked + min(allowed + 1.0, max(0.0, empty_at - leaked))

        self._empty_at.revise(keep_count, (allowed + 1) * every_s, now)


def _checked(copies: int, leak_s: float) -> tuple[int, float]:
    """Return both as given, or raise."""
    if copies < 1:
        raise UsageError(f"copies is {copies}, expected 1 or more: the first message is no copy")
    if not leak_s > 0.0:
        raise UsageError(f"leak_s is {leak_s}, expected above 0 seconds")
    return copies, leak_s
