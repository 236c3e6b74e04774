"""How many calls there were in the last seconds, and how many of them failed.

A ring of ten buckets with running totals, as in resilience4j's `SlidingTimeWindowMetrics`: adding is O(1), and what has
left the window leaves the totals with its bucket. So the window covers between nine tenths of its length and all of it.
"""

from __future__ import annotations

from typing import Final

BUCKETS: Final = 10


class FailureWindow:
    """Calls and failures of one worker in the last `length_s` seconds.

    Attributes:
        calls: in the window, as of the last `add` or `totals`.
        failures: those of them that failed.
    """

    __slots__ = ("_calls", "_failures", "_per_s", "_tick", "calls", "failures")

    def __init__(self, length_s: float) -> None:
        """Start empty. `length_s` is above 0."""
        self._per_s = BUCKETS / length_s
        self._tick = 0
        self._calls = [0] * BUCKETS
        self._failures = [0] * BUCKETS
        self.calls = 0
        self.failures = 0

    def add(self, now: float, failed: bool) -> None:
        """Count one call that ended at `now`, monotonic seconds; one that comes late counts as ended now."""
        tick = int(now * self._per_s)
        if tick > self._tick:
            self._roll(tick)
        at = self._tick % BUCKETS
        self._calls[at] += 1
        self.calls += 1
        if failed:
            self._failures[at] += 1
            self.failures += 1

    def totals(self, now: float) -> tuple[int, int]:
        """Return calls and failures as of `now`."""
        tick = int(now * self._per_s)
        if tick > self._tick:
            self._roll(tick)
        return self.calls, self.failures

    def clear(self) -> None:
        """Forget every call."""
        self._calls = [0] * BUCKETS
        self._failures = [0] * BUCKETS
        self.calls = 0
        self.failures = 0

    def _roll(self, tick: int) -> None:
        """Empty the buckets that have left the window."""
        for leaving in range(self._tick + 1, min(tick, self._tick + BUCKETS) + 1):
            at = leaving % BUCKETS
            self.calls -= self._calls[at]
            self.failures -= self._failures[at]
            self._calls[at] = self._failures[at] = 0
        self._tick = tick
