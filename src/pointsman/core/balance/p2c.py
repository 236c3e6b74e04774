"""Of two random workers the one with fewer messages in hand: needs no knowledge and no structure.

Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (IEEE TPDS 2001); Envoy's LEAST_REQUEST with
`choice_count` 2. Unlike there, the two are always different workers, so that with one or two the choice is exact.
Costs and failures are not looked at: a worker that fails fast is the breaker's matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.core.balance.claim import claim, release
from pointsman.core.balance.dense import draw, put, take

if TYPE_CHECKING:
    from collections.abc import Collection
    from random import Random

    from pointsman.core.load import WorkerLoad


class PowerOfTwo:
    """The less loaded of two eligible workers drawn at random."""

    __slots__ = ("_eligible", "_rng")

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._eligible: list[WorkerLoad] = []

    def add(self, load: WorkerLoad) -> None:
        """A worker joined. Raises UsageError if another balancer has it."""
        if claim(load, self):
            self.update(load)

    def remove(self, load: WorkerLoad) -> None:
        """A worker left; unknown ones are ignored."""
        if release(load, self) and load.index >= 0:
            take(self._eligible, load)

    def update(self, load: WorkerLoad) -> None:
        """Something that decides eligibility changed; a load that is not ours is ignored."""
        if load.owner is not self:
            return
        if load.available:
            if load.index < 0:
                put(self._eligible, load)
        elif load.index >= 0:
            take(self._eligible, load)

    def pick(self, now: float, avoid: Collection[str] = ()) -> WorkerLoad | None:
        """Return the less loaded of two eligible workers whose ids are not in `avoid`, or None."""
        loads = self._eligible
        count = len(loads)
        if avoid or count < 2:
            return self._pick_other(avoid)
        at = int(self._rng.random() * count)
        first = loads[at]
        # One of the others: the places above the first move down by one.
        other = int(self._rng.random() * (count - 1))
        second = loads[other + 1 if other >= at else other]
        return first if first.in_flight <= second.in_flight else second

    def _pick_other(self, avoid: Collection[str]) -> WorkerLoad | None:
        first = draw(self._eligible, avoid, self._rng)
        if first is None:
            return None
        second = draw(self._eligible, (*avoid, first.id), self._rng)
        return first if second is None or first.in_flight <= second.in_flight else second
