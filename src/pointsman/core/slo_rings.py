"""Which minute and which hour a count belongs to, and for how long of each the router measured at all.

Decides what is kept: the minutes of the last day and the hours of the window, each bounded, the oldest going first. A
minute without messages costs one number. How long the router measured (`covered`) is kept apart from what it counted,
so that an hour in which it did not run is told from one in which nobody sent.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from math import ceil, floor
from typing import Final, NamedTuple

from pointsman.core.slo_tally import Layout, Tally

MINUTE_S: Final = 60.0
HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0


class Stretch(NamedTuple):
    """A window that was added up: what was counted, from when to when, and how much of it was measured."""

    tally: Tally
    since: float
    until: float
    measured_s: float
    step_s: float

    @property
    def coverage_share(self) -> float:
        """Share of the window in which the router measured, 0..1."""
        length_s = self.until - self.since
        return min(1.0, self.measured_s / length_s) if length_s > 0.0 else 0.0


class Ring:
    """The last so many minutes, or hours.

    Args:
        layout: of the counts.
        step_s: length of one place.
        keep: places kept; older ones are forgotten.

    Attributes:
        keep: as given.
        newest: number of the latest place known: Unix seconds over `step_s`.
        covered: seconds measured, by place.
    """

    def __init__(self, layout: Layout, step_s: float, keep: int) -> None:
        self.step_s = step_s
        self.newest = 0
        self.covered: dict[int, float] = {}
        self._layout = layout
        self.keep = keep
        self._cells: dict[int, tuple[array[int], array[float]]] = {}

    def __len__(self) -> int:
        """Places that hold counts."""
        return len(self._cells)

    def add(self, wall: float, tally: Tally) -> None:
        """Add counts to the place of an instant."""
        place = floor(wall / self.step_s)
        self._reach(place)
        cell = self._cells.get(place)
        if cell is None:
            self._cells[place] = (array("Q", tally.counts), array("d", tally.sums))
        else:
            counts, sums = cell
            for at, count in enumerate(tally.counts):
                if count:
                    counts[at] += count
            for at, seconds in enumerate(tally.sums):
                sums[at] += seconds

    def cover(self, since: float, until: float) -> None:
        """The router measured from one instant to another; no place is covered for longer than it lasts."""
        step_s = self.step_s
        last = floor(until / step_s)
        if until <= since:
            return
        self._reach(last)
        for place in range(max(floor(since / step_s), last - self.keep), last + 1):
            seconds = min(until, (place + 1) * step_s) - max(since, place * step_s)
            if seconds > 0.0:
                self.covered[place] = min(step_s, self.covered.get(place, 0.0) + seconds)

    def _reach(self, place: int) -> None:
        """Make room for a place. One that is older than all that is kept says that the clock went far back: what was
        counted by the wrong time is forgotten, as otherwise nothing more would be kept until that time comes.
        """
        if place < self.newest - self.keep:
            self.covered.clear()
            self._cells.clear()
            self.newest = place
        elif place > self.newest:
            self.newest = place
            oldest = place - self.keep
            for old in [one for one in self.covered if one < oldest]:
                del self.covered[old]
            for old in [one for one in self._cells if one < oldest]:
                del self._cells[old]

    def measured_s(self, window_s: float, now: float) -> float:
        """Return how much was measured of the window that `sum` adds up, seconds."""
        first = self._first(window_s, now)
        return sum(seconds for place, seconds in self.covered.items() if place >= first)

    def sum(self, window_s: float, now: float) -> Stretch:
        """Return everything in the window that ends now and begins with a whole place."""
        first, total = self._first(window_s, now), Tally(self._layout)
        chosen = [cell for place, cell in self._cells.items() if place >= first]
        if chosen:
            total.counts = list(map(sum, zip(*(counts for counts, _ in chosen), strict=True)))
            total.sums = list(map(sum, zip(*(sums for _, sums in chosen), strict=True)))
        return Stretch(total, first * self.step_s, now, self.measured_s(window_s, now), self.step_s)

    def coverage_share(self, window_s: float, now: float) -> float:
        """Return the coverage of that window, 0..1."""
        length_s = now - self._first(window_s, now) * self.step_s
        return min(1.0, self.measured_s(window_s, now) / length_s)

    def _first(self, window_s: float, now: float) -> int:
        return floor((now - window_s) / self.step_s)

    def places(self, since: float, step_s: float, now: float) -> Iterator[Stretch]:
        """Yield stretches of `step_s` (a multiple of this ring's) from `since` on in which the router measured."""
        groups: dict[int, list[int]] = {}
        for place in sorted({*self.covered, *self._cells}):
            if (place + 1) * self.step_s > since:
                groups.setdefault(floor(place * self.step_s / step_s), []).append(place)
        for group, members in groups.items():
            total = Tally(self._layout)
            for place in members:
                if place in self._cells:
                    total.add(*self._cells[place])
            measured_s = sum(self.covered.get(place, 0.0) for place in members)
            start = group * step_s
            yield Stretch(total, start, max(start, min(now, start + step_s)), measured_s, step_s)


class Rings:
    """Minutes and hours together.

    Args:
        layout: of the counts.
        window_s: longest window that may be asked for, seconds.
    """

    def __init__(self, layout: Layout, window_s: float) -> None:
        self.layout = layout
        self.minutes = Ring(layout, MINUTE_S, round(DAY_S / MINUTE_S))
        self.hours = Ring(layout, HOUR_S, max(24, ceil(window_s / HOUR_S)))

    def add(self, wall: float, tally: Tally) -> None:
        """Add counts of an instant."""
        self.minutes.add(wall, tally)
        self.hours.add(wall, tally)

    def cover(self, since: float, until: float) -> None:
        """The router measured from one instant to another."""
        self.minutes.cover(since, until)
        self.hours.cover(since, until)

    def sum(self, window_s: float, now: float) -> Stretch:
        """Return a window added up: by minutes, or by hours where these know more of it, as after a restart."""
        if window_s > DAY_S:
            return self.hours.sum(window_s, now)
        hours, minutes = self.hours, self.minutes
        know_more = minutes.coverage_share(window_s, now) >= hours.coverage_share(window_s, now)
        return (minutes if know_more else hours).sum(window_s, now)
