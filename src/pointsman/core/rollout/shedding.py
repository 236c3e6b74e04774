"""Decides how much looking on may cost: of a processor core, and of trouble.

Both are asked before each decision in the shadow, and told what it came to. What is shed is not made up for.

The budget is a token bucket of core seconds that may go into debt, as what a decision costs is known only afterwards.
A decision that held the event loop for longer than a millisecond delayed whoever came in the meantime by as much, so
it pays more: such decisions together get a hundredth of a core. At 10 ms that is one a second, and one message in a
hundred that may have met it: far from the 95th percentile. One that came while the loop was busy, so that a turn of it
took as long, pays the same: it stood in the way of many.
"""

from __future__ import annotations

from collections import deque
from typing import Final

LONG_HOLD_S: Final = 0.001
"""A decision that holds the event loop for longer is a slow one, and a loop whose turns take longer is busy."""

SLOW_CORE_SHARE: Final = 0.01
"""Of a core, for slow decisions."""

BURST_S: Final = 1.0
"""Seconds' worth of the share that may be spent at once."""

FAILURES_MAX: Final = 20
FAILURES_WITHIN_S: Final = 60.0
OFF_FOR_S: Final = 300.0


class CoreBudget:
    """What decisions may take of a core.

    Args:
        share: of one core, 0..1; with 0 nothing may ever start.
    """

    __slots__ = ("_at", "_left_s", "_price", "_share")

    def __init__(self, share: float) -> None:
        self._share = share
        self._price = max(1.0, share / SLOW_CORE_SHARE)
        self._left_s = share * BURST_S
        self._at: float | None = None

    def allows(self, now: float) -> bool:
        """Whether a decision may start at `now`, monotonic seconds."""
        self._pour(now)
        return self._left_s > 0.0

    def spend(self, now: float, held_s: float, longest_s: float) -> None:
        """Note a decision.

        Args:
            now: monotonic seconds.
            held_s: for how long it held the event loop in all, seconds.
            longest_s: the longest it held it in one piece, or the turn of the loop before it took, seconds.
        """
        self._pour(now)
        self._left_s -= held_s * self._price if longest_s > LONG_HOLD_S else held_s

    def _pour(self, now: float) -> None:
        if self._at is not None and now > self._at:
            self._left_s = min(self._share * BURST_S, self._left_s + (now - self._at) * self._share)
        self._at = now if self._at is None else max(now, self._at)


class Fuse:
    """Turns looking on off for a while after many failures: 20 in a minute turn it off for five."""

    __slots__ = ("_failures", "_off_until")

    def __init__(self) -> None:
        self._failures: deque[float] = deque(maxlen=FAILURES_MAX)
        self._off_until = 0.0

    def is_off(self, now: float) -> bool:
        """Whether it has blown, and how long ago does not yet suffice."""
        return now < self._off_until

    def fail(self, now: float) -> bool:
        """Note a decision that failed or took too long; whether that was one too many."""
        self._failures.append(now)
        if len(self._failures) < FAILURES_MAX or now - self._failures[0] >= FAILURES_WITHIN_S:
            return False
        self._off_until = now + OFF_FOR_S
        return True
