"""A timing wheel: which of a hundred thousand things are due, without looking at the others.

Decides only by time. Who is in it and what being due means is its owner's business.

Algorithm: hierarchical timing wheel (Varghese and Lauck, 1987, scheme 7), with two changes. The wheel does
not turn: buckets are named by the instant they begin at, and a small heap of those names says which comes
first, so nothing has to be done at ticks at which nothing is due. And items leave exactly: each knows its
bucket and its position there, the last one takes its place, and no remains are left to be swept (a message
that is handed out at once would otherwise keep its time to live's worth of memory).

A bucket of width `w` (8**k ticks) takes what expires 8 to 64 widths ahead, so whatever the number of items
there are at most some 60 buckets of each of a dozen widths. A wide bucket whose turn comes is split into
narrower ones; an item moves down at most once for each factor of 8 in its span, and only if it stays that
long.

Exactness: an item in a bucket of one tick is due at the end of that tick: never early, and at most one tick
late.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final, Generic, Protocol, TypeVar

from pointsman.model.errors import UsageError

_SHIFTS: Final = tuple(3 * min(15, max(0, (bits - 1) // 3 - 1)) for bits in range(1100))
# By the bit length of a span in ticks: the width of the bucket as a power of two (3k: 8**k ticks). A float
# has no more bits.

_NARROW: Final = 63
# A bucket's name is `first tick * 64 + 63 - 3k`: of two that begin together the wider sorts first, and is
# split first.


class Timed(Protocol):
    """What can be put into a wheel.

    Attributes:
        expires_at: monotonic seconds, 0 or later and finite; must not change while it is in the wheel.
        bucket: the wheel's own.
        slot: the wheel's own.
    """

    expires_at: float
    bucket: int
    slot: int


T = TypeVar("T", bound=Timed)


class Wheel(Generic[T]):
    """Items by the time they are due."""

    __slots__ = ("_buckets", "_order", "_tick_s")

    def __init__(self, tick_s: float) -> None:
        """Make an empty wheel.

        Args:
            tick_s: how late an item may be found due, seconds, above 0. A power of two keeps all arithmetic
                exact.

        Raises:
            UsageError: `tick_s` is not above 0.
        """
        if not tick_s > 0.0:
            raise UsageError(f"tick_s is {tick_s}, expected above 0 seconds")
        self._tick_s = tick_s
        self._buckets: dict[int, list[T]] = {}
        self._order: list[int] = []

    def add(self, item: T, span_s: float) -> None:
        """Put an item in.

        Args:
            item: one that is in no wheel.
            span_s: about how far ahead it expires. Only decides how coarsely it is kept at first: a wrong
                value costs some work and changes no answer.
        """
        tick_s = self._tick_s
        shift = _SHIFTS[int(span_s / tick_s).bit_length()]
        name = (int(item.expires_at / tick_s) >> shift << shift) << 6 | _NARROW - shift
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = []
            heappush(self._order, name)
        item.bucket = name
        item.slot = len(bucket)
        bucket.append(item)

    def remove(self, item: T) -> None:
        """Take out an item that is in this wheel."""
        bucket = self._buckets[item.bucket]
        last = bucket.pop()
        if last is not item:
            slot = item.slot
            bucket[slot] = last
            last.slot = slot

    def due(self, now: float) -> list[T]:
        """Take out and return what expired a tick ago or longer, and perhaps what expired since; never what
        has not.

        Args:
            now: monotonic seconds.

        Returns:
            The items, tick by tick, in no order within a tick.
        """
        found: list[T] = []
        while self._next_end() <= now:
            found += self._buckets.pop(heappop(self._order))
        return found

    def next_due(self) -> float | None:
        """Return the earliest `now` at which `due` returns something, or None if the wheel is empty."""
        end = self._next_end()
        return end if self._order else None

    def clear(self) -> list[T]:
        """Take out and return everything, in no order."""
        found = [item for bucket in self._buckets.values() for item in bucket]
        self._buckets.clear()
        self._order.clear()
        return found

    def _next_end(self) -> float:
        """Return the end of the first tick in which something expires, or inf; splits what is in the way."""
        order = self._order
        while order:
            name = order[0]
            bucket = self._buckets[name]
            if bucket and name & _NARROW == _NARROW:
                return ((name >> 6) + 1) * self._tick_s
            heappop(order)
            del self._buckets[name]
            begins_at = (name >> 6) * self._tick_s
            for item in bucket:
                self.add(item, item.expires_at - begins_at)
        return float("inf")
