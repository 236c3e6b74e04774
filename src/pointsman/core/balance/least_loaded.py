"""The worker with the fewest messages in hand, exactly, as fast for ten thousand workers as for ten.

Eligible workers stand on shelves, one for each number in hand (study "balancing", section 4.3). A start or a finish
moves a load by one shelf, so the lowest shelf in use is found by steps that those moves have paid for; a worker that
goes and comes back (breaker, drain) may cost as many steps as there are shelves. For fleets of equally fast workers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.core.balance.claim import claim, release
from pointsman.core.balance.dense import draw, put, take

if TYPE_CHECKING:
    from collections.abc import Collection
    from random import Random

    from pointsman.core.load import WorkerLoad


class LeastLoaded:
    """Fewest in hand; those with equally few are drawn at random."""

    __slots__ = ("_eligible", "_least", "_rng", "_shelves")

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._shelves: list[list[WorkerLoad]] = [[]]
        self._least = 0  # every shelf below this one is empty
        self._eligible = 0

    def add(self, load: WorkerLoad) -> None:
        """A worker joined. Raises UsageError if another balancer has it."""
        if claim(load, self):
            self.update(load)

    def remove(self, load: WorkerLoad) -> None:
        """A worker left; unknown ones are ignored."""
        if release(load, self) and load.index >= 0:
            self._unfile(load)

    def update(self, load: WorkerLoad) -> None:
        """Something that decides eligibility or load changed; a load that is not ours is ignored."""
        if load.owner is not self:
            return
        if load.index >= 0:
            if load.available and load.in_flight == load.stamp:
                return
            self._unfile(load)
        if load.available:
            self._file(load)

    def pick(self, now: float, avoid: Collection[str] = ()) -> WorkerLoad | None:
        """Return one of the eligible workers with the fewest in hand whose id is not in `avoid`, or None."""
        if not self._eligible:
            return None
        while not self._shelves[self._least]:
            self._least += 1
        if avoid:
            return self._pick_other(avoid)
        shelf = self._shelves[self._least]
        return shelf[int(self._rng.random() * len(shelf))]

    def _pick_other(self, avoid: Collection[str]) -> WorkerLoad | None:
        left = self._eligible
        level = self._least
        while left:
            shelf = self._shelves[level]
            chosen = draw(shelf, avoid, self._rng)
            if chosen is not None:
                return chosen
            left -= len(shelf)
            level += 1
        return None

    def _file(self, load: WorkerLoad) -> None:
        level = load.stamp = load.in_flight
        while len(self._shelves) <= level:
            self._shelves.append([])
        put(self._shelves[level], load)
        self._eligible += 1
        if level < self._least:
            self._least = level

    def _unfile(self, load: WorkerLoad) -> None:
        take(self._shelves[load.stamp], load)
        self._eligible -= 1
