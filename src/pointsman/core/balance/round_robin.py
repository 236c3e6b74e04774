"""Each eligible worker in turn, whatever it carries.

The workers stand in a ring. Whoever is picked goes to its end; whoever joins begins there. A worker that cannot take a
message when its turn comes steps aside, and has its turn first thing when it can again; one that could not for a while,
but can again when its turn comes, has lost nothing. So between two turns of one worker every other that could take a
message had its own. Each step aside was paid for by the change that brought the worker back: O(1) amortised.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from pointsman.core.balance.claim import claim, release

if TYPE_CHECKING:
    from collections.abc import Collection

    from pointsman.core.load import WorkerLoad


class RoundRobin:
    """In turn. `WorkerLoad.index` is 0 in the ring and -1 aside."""

    __slots__ = ("_ring",)

    def __init__(self) -> None:
        self._ring: OrderedDict[WorkerLoad, None] = OrderedDict()

    def add(self, load: WorkerLoad) -> None:
        """A worker joined, behind all others. Raises UsageError if another balancer has it."""
        if claim(load, self):
            load.index = 0
            self._ring[load] = None

    def remove(self, load: WorkerLoad) -> None:
        """A worker left; unknown ones are ignored."""
        if release(load, self) and load.index >= 0:
            load.index = -1
            del self._ring[load]

    def update(self, load: WorkerLoad) -> None:
        """Something that decides eligibility changed; a load that is not ours is ignored."""
        if load.index < 0 and load.owner is self and load.available:
            load.index = 0
            self._ring[load] = None
            self._ring.move_to_end(load, last=False)

    def pick(self, now: float, avoid: Collection[str] = ()) -> WorkerLoad | None:
        """Return the next eligible worker whose id is not in `avoid`, or None; those avoided keep their turn."""
        chosen: WorkerLoad | None = None
        aside: list[WorkerLoad] = []
        for load in self._ring:
            if not load.available:
                aside.append(load)
            elif load.id not in avoid:
                chosen = load
                break
        for load in aside:
            load.index = -1
            del self._ring[load]
        if chosen is not None:
            self._ring.move_to_end(chosen)
        return chosen
