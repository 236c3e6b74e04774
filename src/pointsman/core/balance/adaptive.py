"""The default: the free worker with the shortest expected delay, by what was learned of its speed and its failures.

Late binding: a message waits with us until a worker has a free slot, so only free workers are compared, by
`WorkerLoad.cost`. The rule and its figures are from the study "balancing", sections 0 and 3; the structure
from 4.3.

Free workers stand on *shelves*, one for each class of cost; 32 classes double the cost. A heap holds the
classes. So workers within 3.2 % of each other are equals, and equals are drawn at random at the moment of the
pick: a lock-in on whichever worker happens to be ahead by a rounding error cannot arise. Nothing is ever
scanned; a class whose shelf has run empty is dropped when it comes to the top of the heap.

What is promised of costs that change while nobody announces it (a silent worker's estimate drifts): a load is
filed under a cost that is at most `STALE_S` old, or at most as many picks old as there are free workers,
whichever is older, because each pick files anew the one that was filed longest ago. In `STALE_S` an estimate
covers 4.5 % of its way.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from math import frexp
from typing import TYPE_CHECKING, Final

from pointsman.core.balance.claim import claim, release
from pointsman.core.balance.dense import draw, put, take

if TYPE_CHECKING:
    from collections.abc import Collection
    from random import Random

    from pointsman.core.load import WorkerLoad

STALE_S: Final = 2.0
"""Age from which a filed cost is worth computing again, seconds."""

CLASSES_PER_OCTAVE: Final = 16
"""Classes of cost between one cost and its double: finer than what can be learned from jobs of unequal size."""

SPARE_CLASSES: Final = 64
"""Empty classes that the heap may hold beyond twice the number of free workers before it is built anew."""


class Adaptive:
    """Shortest expected delay over all free workers; see the head of the module for what is promised."""

    __slots__ = ("_heap", "_looked_at", "_members", "_now", "_rng", "_shelves")

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._now = 0.0
        self._members: list[WorkerLoad] = []
        self._looked_at = 0  # place in `_members` of the one looked at last
        # The heap holds each key of `_shelves` exactly once.
        self._shelves: dict[float, list[WorkerLoad]] = {}
        self._heap: list[float] = []

    def add(self, load: WorkerLoad) -> None:
        """A worker joined. Raises UsageError if another balancer has it."""
        if claim(load, self):
            self._members.append(load)
            self.update(load)

    def remove(self, load: WorkerLoad) -> None:
        """A worker left; unknown ones are ignored. The one call that takes longer for a larger fleet."""
        if release(load, self):
            self._members.remove(load)
            if load.index >= 0:
                take(self._shelves[load.stamp], load)

    def update(self, load: WorkerLoad) -> None:
        """Something that decides eligibility or cost changed; a load that is not ours is ignored."""
        if load.owner is not self:
            return
        if not load.available:
            if load.index >= 0:
                take(self._shelves[load.stamp], load)
            return
        # The mantissa is in [0.5, 1). Floor division, because it needs no call.
        mantissa, exponent = frexp(load.cost(self._now))
        cost_class = exponent * CLASSES_PER_OCTAVE + mantissa * (2 * CLASSES_PER_OCTAVE) // 1.0
        load.filed_at = self._now
        if load.index >= 0:
            if cost_class == load.stamp:
                return
            take(self._shelves[load.stamp], load)
        load.stamp = cost_class
        shelf = self._shelves.get(cost_class)
        put(self._new_shelf(cost_class) if shelf is None else shelf, load)

    def pick(self, now: float, avoid: Collection[str] = ()) -> WorkerLoad | None:
        """Return a free worker of the lowest class of cost whose id is not in `avoid`, or None."""
        if now > self._now:
            self._now = now
        if self._looked_at < len(self._members):
            # One load in turn, whether it is the answer or not: what keeps filed costs from growing old.
            load = self._members[self._looked_at]
            if load.index >= 0 and now - load.filed_at > STALE_S:
                self.update(load)
            self._looked_at += 1
        else:
            self._looked_at = 0
        heap = self._heap
        while heap:
            shelf = self._shelves[heap[0]]
            if not shelf:
                del self._shelves[heappop(heap)]
            elif avoid:
                return self._pick_other(avoid)
            else:
                return shelf[int(self._rng.random() * len(shelf))]
        return None

    def _pick_other(self, avoid: Collection[str]) -> WorkerLoad | None:
        """Go up the classes until one holds a load not to be avoided: at most one class more than `avoid`."""
        passed: list[float] = []
        chosen: WorkerLoad | None = None
        while self._heap and chosen is None:
            key = heappop(self._heap)
            shelf = self._shelves[key]
            if not shelf:
                del self._shelves[key]
                continue
            passed.append(key)
            chosen = draw(shelf, avoid, self._rng)
        for key in passed:
            heappush(self._heap, key)
        return chosen

    def _new_shelf(self, cost_class: float) -> list[WorkerLoad]:
        if len(self._heap) > 2 * len(self._members) + SPARE_CLASSES:
            self._shelves = {key: shelf for key, shelf in self._shelves.items() if shelf}
            self._heap = list(self._shelves)
            heapify(self._heap)
        shelf = self._shelves[cost_class] = []
        heappush(self._heap, cost_class)
        return shelf
