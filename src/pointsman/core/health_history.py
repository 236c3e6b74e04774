"""What is remembered of past checks: a ring for each component, bounded in age, in length and in number.

Where they are kept over a restart is no business of this file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from pointsman.model.health import HealthMark

MOST_COMPONENTS: Final = 2_000
"""Components remembered; workers with ever new names must not fill the memory. The longest unseen goes first."""


class History:
    """Past checks.

    Args:
        keep_s: how long one is kept, seconds.
        most_each: how many of one component at most.
    """

    def __init__(self, keep_s: float, most_each: int) -> None:
        self._keep_s = keep_s
        self._most_each = most_each
        self._rings: dict[str, deque[HealthMark]] = {}

    def __len__(self) -> int:
        """Checks remembered."""
        return sum(map(len, self._rings.values()))

    def __iter__(self) -> Iterator[HealthMark]:
        """Every check, of each component the oldest first."""
        return (mark for ring in self._rings.values() for mark in ring)

    def add(self, mark: HealthMark) -> None:
        """Remember a check. One of the same component and instant as the last takes its place."""
        # Out and in again, so that the component longest unseen stands first.
        ring = self._rings.pop(mark.component, None) or deque(maxlen=self._most_each)
        self._rings[mark.component] = ring
        if ring and ring[-1].at_wall == mark.at_wall:
            ring[-1] = mark
        else:
            ring.append(mark)
        if len(self._rings) > MOST_COMPONENTS:
            del self._rings[next(iter(self._rings))]

    def last(self, component: str) -> HealthMark | None:
        """Return the last check of a component."""
        ring = self._rings.get(component)
        return ring[-1] if ring else None

    def forget(self, now_wall: float) -> None:
        """Drop what is older than it is to be kept at Unix `now_wall`."""
        oldest = now_wall - self._keep_s
        for component, ring in list(self._rings.items()):
            while ring and ring[0].at_wall < oldest:
                ring.popleft()
            if not ring:
                del self._rings[component]

    def find(self, component: str | None = None, since_wall: float = 0.0, limit: int = 1_000) -> list[HealthMark]:
        """Return checks, the newest first.

        Args:
            component: only of this one.
            since_wall: only from Unix seconds on.
            limit: how many at most.
        """
        rings = self._rings.values() if component is None else (self._rings.get(component, ()),)
        found = [mark for ring in rings for mark in ring if mark.at_wall >= since_wall]
        found.sort(key=lambda mark: mark.at_wall, reverse=True)
        return found[:limit]
