"""The default: the free worker with the shortest expected delay, by what was learned of its speed and its failures.

Late binding: a message waits with us until a worker has a free slot, so only free workers are compared, by
`WorkerLoad.cost`. The rule and its figures are from the study "balancing", sections 0 and 3.

Free workers stand on shelves, one for each class of cost; 16 classes double the cost, and a heap holds the classes. So
workers within 3 to 6 % of each other are equals (job sizes make the estimates noisier than that), and equals are drawn
at random at the moment of the pick: no worker is locked in because it is ahead by a rounding error. Nothing is scanned.
A class whose shelf has run empty goes when it comes to the top of the heap, and the heap is built anew where it has
grown to more than twice as many classes as there are workers.

What is promised of costs that change unannounced, because the estimates of a silent worker drift: each pick looks at
one more worker in turn and files it anew if its filed cost is older than `STALE_S`. So a filed cost is older than that
for at most as many picks as there are workers, and one. In `STALE_S` an estimate covers 4.5 % of its way to the fleet's
mean.
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
"""Classes between one cost and its double. In simulation the tail latency is the same from 4 to 256."""

SPARE_CLASSES: Final = 64
"""Classes that the heap may hold beyond twice the number of workers before it is built anew."""


class Adaptive:
    """Shortest expected delay over all free workers; see the head of the module for what is promised."""

    __slots__ = ("_heap", "_members", "_next", "_now", "_rng", "_shelves")

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._now = 0.0
        self._members: list[WorkerLoad] = []
        self._next = 0  # place in `_members` of the one to look at next
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
            place = self._members.index(load)
            del self._members[place]
            if place < self._next:
                self._next -= 1
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
        if self._next < len(self._members):
            # One load in turn, whether it is the answer or not: what keeps filed costs from growing old.
            load = self._members[self._next]
            if load.index >= 0 and now - load.filed_at > STALE_S:
                self.update(load)
            self._next += 1
        else:
            self._next = 0
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
        """Go up the classes until one holds a load that need not be avoided: at most one class more than `avoid`."""
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
