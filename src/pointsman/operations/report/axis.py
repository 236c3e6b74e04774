"""From figures to pixels."""

from __future__ import annotations


class Axis:
    """Puts figures between `low` and `high` on pixels between `start` and `end`."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self._low = low
        self._length = (high - low) or 1.0
        self._start = start
        self._end = end

    def at(self, value: float) -> float:
        """Return the pixel of a figure."""
        return self._start + (self._end - self._start) * (value - self._low) / self._length
