"""Who gets a worker's next free slot, of those that wait for that worker or for one like it.

An attempt that would rather wait than take any worker parks: it gives its slot back to the pool and stands in a line of
its own. Here is decided who of those that a worker may serve is next - whoever has waited longest - and how many may
stand there. Whether to park, and for how long, is decided where a worker is chosen.

There is one line for each worker that is waited for, and one for each need (`core.suitable`) of those that any suitable
worker may serve. Each line is in order of age, so that the oldest of all stands at the head of one.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from pointsman.core.suitable import Need

ROOM: Final = 2
"""Attempts that may be parked for a worker, or a kind of workers, for each of its slots. More would be a second queue,
without priorities and without fairness."""


class Parked:
    """One attempt that waits.

    Attributes:
        need: what a worker must be able to do for it; None where any will do.
        number: its age, the smaller the older; kept when it changes lines. 0 before it first waits.
        worker: the one worker it waits for; empty where any that suits will do.
        waits: it stands in a line.
        counted: whose room it takes: that of a worker, or of a need.
    """

    __slots__ = ("counted", "need", "number", "waits", "worker")

    def __init__(self, need: Need | None) -> None:
        self.need = need
        self.number = 0
        self.worker = ""
        self.waits = False
        self.counted: str | Need | None = None


P = TypeVar("P", bound=Parked)


class ParkingLot(Generic[P]):
    """The lines of one pool."""

    __slots__ = ("_counts", "_for_any", "_for_one", "_numbers")

    def __init__(self) -> None:
        self._for_one: dict[str, OrderedDict[int, P]] = {}
        self._for_any: dict[Need | None, OrderedDict[int, P]] = {}
        self._counts: Counter[str | Need | None] = Counter()
        self._numbers = 0

    def __bool__(self) -> bool:
        """Whether anybody waits."""
        return bool(self._for_one or self._for_any)

    def __len__(self) -> int:
        """Attempts that wait."""
        return sum(len(line) for lines in (self._for_one, self._for_any) for line in lines.values())

    @property
    def counted(self) -> int:
        """Attempts that take room: those that wait, and those that have been called and are not closed yet."""
        return self._counts.total()

    def has_room(self, for_whom: str | Need | None, slots: int) -> bool:
        """Whether one more may be parked for this worker, or for the workers that suit this need.

        Args:
            for_whom: id of a worker, or a need.
            slots: messages that worker, or those workers together, can work on at once.
        """
        return self._counts[for_whom] < ROOM * slots

    def wait_for(self, parked: P, worker_id: str) -> None:
        """Let it wait for one worker."""
        self.leave(parked)
        parked.worker = worker_id
        self._stand(parked, self._for_one.setdefault(worker_id, OrderedDict()), worker_id)

    def wait_for_any(self, parked: P) -> None:
        """Let it wait for any worker that suits. It keeps its age, and goes on taking the room it took."""
        self.leave(parked)
        parked.worker = ""
        self._stand(parked, self._for_any.setdefault(parked.need, OrderedDict()), parked.need)

    def leave(self, parked: P) -> None:
        """Take it out of its line, if it stands in one; it may come back with its age."""
        if not parked.waits:
            return
        parked.waits = False
        if parked.worker:
            _leave(self._for_one, parked.worker, parked.number)
        else:
            _leave(self._for_any, parked.need, parked.number)

    def close(self, parked: P) -> None:
        """It waits no more, and takes no room."""
        self.leave(parked)
        if parked.number:
            parked.number = 0
            self._counts[parked.counted] -= 1
            if not self._counts[parked.counted]:
                del self._counts[parked.counted]

    def next_for(self, worker_id: str, may_serve: Callable[[Need | None], bool]) -> P | None:
        """Return whom a worker's free slot belongs to, or None; it stays where it is.

        Args:
            worker_id: of the worker.
            may_serve: whether that worker suits a need.
        """
        line = self._for_one.get(worker_id)
        found = None if line is None else _head(line)
        for need, others in self._for_any.items():
            head = _head(others)
            if (found is None or head.number < found.number) and may_serve(need):
                found = head
        return found

    def heads(self) -> list[P]:
        """Return the head of each line, the oldest first."""
        heads = [_head(line) for lines in (self._for_one, self._for_any) for line in lines.values()]
        return sorted(heads, key=_number)

    def concerned(self, worker_id: str) -> list[P]:
        """Return those that must look again when this worker is no longer to be waited for."""
        found = list(self._for_one.get(worker_id, {}).values())
        for line in self._for_any.values():
            found += line.values()
        return found

    def _stand(self, parked: P, line: OrderedDict[int, P], for_whom: str | Need | None) -> None:
        if not parked.number:
            self._numbers += 1
            parked.number = self._numbers
            parked.counted = for_whom
            self._counts[for_whom] += 1
        parked.waits = True
        is_last = not line or next(reversed(line)) < parked.number
        line[parked.number] = parked
        if not is_last:
            for number in sorted(line):
                line.move_to_end(number)


def _number(parked: Parked) -> int:
    return parked.number


def _head(line: OrderedDict[int, P]) -> P:
    return next(iter(line.values()))


K = TypeVar("K")


def _leave(lines: dict[K, OrderedDict[int, P]], key: K, number: int) -> None:
    line = lines[key]
    del line[number]
    if not line:
        del lines[key]
