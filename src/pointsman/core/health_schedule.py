"""When each component is looked at deeply: once in each interval, never all at the same moment.

A component's intervals begin when it joins. In each of them one look falls into the first fifth, at a time of its own
that chance decides: a tenth of the interval in, give or take a tenth. So two looks are one interval apart, give or take
a fifth at most, and however long it runs, there are as many looks as intervals. An interval that was slept through is
not made up for.
"""

from __future__ import annotations

from math import floor, inf
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

JITTER_SHARE: Final = 0.1
"""Of an interval, by which a look may be earlier or later than planned."""


class _Row:
    """The plan of one component: when its first interval began, which interval is next, and when in it."""

    __slots__ = ("anchor", "due", "slot")

    def __init__(self, anchor: float, slot: int, due: float) -> None:
        self.anchor = anchor
        self.slot = slot
        self.due = due


class Schedule:
    """Plans looks at components.

    Args:
        every_s: length of an interval, seconds.
        rng: decides when in each interval.
    """

    def __init__(self, every_s: float, rng: Random) -> None:
        self._every_s = every_s
        self._rng = rng
        self._rows: dict[str, _Row] = {}

    def join(self, name: str, now: float) -> None:
        """Plan for a component from monotonic `now` on; one that is known keeps its plan."""
        if name not in self._rows:
            self._rows[name] = _Row(now, 0, self._time(now, 0))

    def leave(self, name: str) -> None:
        """Plan for it no longer; an unknown one is ignored."""
        self._rows.pop(name, None)

    def due(self, now: float) -> list[str]:
        """Return the components whose time has come, and plan each for its next interval."""
        names = [name for name, row in self._rows.items() if row.due <= now]
        for name in names:
            row = self._rows[name]
            # Counted, and not only worked out from `now`, which rounding may put into the interval before.
            row.slot = max(row.slot, floor((now - row.anchor) / self._every_s)) + 1
            row.due = self._time(row.anchor, row.slot)
        return names

    def next_due(self) -> float:
        """Return the monotonic seconds at which the next look is due; infinite where there is none."""
        return min((row.due for row in self._rows.values()), default=inf)

    def _time(self, anchor: float, slot: int) -> float:
        place = slot + JITTER_SHARE + self._rng.uniform(-JITTER_SHARE, JITTER_SHARE)
        return anchor + place * self._every_s
