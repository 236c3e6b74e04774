"""Which waiting message is handed out next, and which are over.

Decides the order of a queue, by three independent rules that stand in files of their own: `core.turns`
between levels, `core.lines` between the clients of a level, `core.wheel` when a message's time is over. Does
not hold messages, leases or delays, and does not know why a ticket is taken.

What is promised, and tested:

(a) While level 0 has something, at most one of any five dispatches goes elsewhere.
(b) A level that always has something gets at least `weights[i]` of any 155 dispatches (16:8:4:2:1, four of
    five), whatever else arrives.
(c) Inside a level, a client that always has something gets at least one of any N dispatches of that level, where
    N is how many clients have something; first in, first out per client.
(d) A ticket is never popped at or after its `expires_at`, and `expire` returns it exactly once, not before
    that and at most `tick_s` later, wherever it stands and however many others wait.

A dispatch counts for (b) and (c) where its caller may take what waits: guests cannot take strict tickets.

Every operation takes constant time, amortised. A heap by priority would cost a logarithm and a cache miss a step, and
could not let go of what stands in its middle; a heap by expiry was some 190 times dearer than a wheel when a million
tickets expired together (measured).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from pointsman.core.lines import ENDED, FREE, OVERDUE, WAITING, Lines, Ticket
from pointsman.core.turns import LEVELS, Turns
from pointsman.core.wheel import Wheel
from pointsman.model.errors import UsageError

__all__ = ["Scheduler", "Ticket"]

Depths = tuple[int, int, int, int, int]


class Scheduler:
    """The tickets of one queue."""

    __slots__ = ("_has", "_levels", "_size", "_turns", "_wheel")

    def __init__(
        self,
        weights: Sequence[int] = (16, 8, 4, 2, 1),
        share: tuple[int, int] = (4, 5),
        tick_s: float = 0.03125,
    ) -> None:
        """Make an empty schedule.

        Args:
            weights: of the levels in the round robin between them, each from 1.
            share: `(a, b)`: `a` of `b` dispatches take the highest level that has something, 0 <= a < b.
            tick_s: how late a ticket may be found over, seconds; 1/32 is exact in binary, and no person
                notices it.

        Raises:
            UsageError: an argument is out of its range.
        """
        self._turns = Turns(weights, share)
        self._wheel: Wheel[Ticket] = Wheel(tick_s)
        self._levels = tuple(Lines() for _ in range(LEVELS))
        self._has = 0
        self._size = 0

    def __len__(self) -> int:
        """Tickets that were pushed and neither popped nor discarded nor expired."""
        return self._size

    def push(self, ticket: Ticket) -> None:
        """Put a ticket at the end of its client's line.

        Raises:
            UsageError: it waits already, or it was discarded or expired (make a new ticket), or its level is
            not 0..4.
        """
        if ticket.place != FREE or not 0 <= ticket.level < LEVELS:
            raise UsageError(_unfit(ticket))
        self._wheel.add(ticket, ticket.expires_at - ticket.queued_at)
        self._levels[ticket.level].push(ticket)
        self._has |= 1 << ticket.level
        self._size += 1

    def push_front(self, ticket: Ticket) -> None:
        """Put a ticket back at the head of its client's line, because its lease was returned unused.

        A client that has nothing else waiting comes in like any other, at the end of the ring.

        Raises:
            UsageError: as `push`.
        """
        if ticket.place != FREE or not 0 <= ticket.level < LEVELS:
            raise UsageError(_unfit(ticket))
        self._wheel.add(ticket, ticket.expires_at - ticket.queued_at)
        self._levels[ticket.level].push_front(ticket)
        self._has |= 1 << ticket.level
        self._size += 1

    def pop(self, now: float, guest: bool = False) -> Ticket | None:
        """Take the next ticket whose time is not over, or None if there is none.

        Args:
            now: monotonic seconds.
            guest: the caller belongs to another pool: strict tickets are passed over, and keep their place
                for owners.
        """
        has = self._has
        while has:
            level = self._turns.choose(has)
            lines = self._levels[level]
            ticket = lines.take(now, guest)
            if not lines.waiting:
                self._has &= ~(1 << level)
            if ticket is not None:
                self._turns.served()
                self._wheel.remove(ticket)
                self._size -= 1
                return ticket
            has &= ~(1 << level)
        return None

    def discard(self, ticket: Ticket) -> bool:
        """Take out a ticket wherever it stands; whether it was waiting here.

        Trap: a ticket that waits in another scheduler must not be given to this one.
        """
        if ticket.place not in {WAITING, OVERDUE}:
            return False
        self._wheel.remove(ticket)
        self._end(ticket)
        return True

    def expire(self, now: float) -> list[Ticket]:
        """Take out and return what is over: all that was so one tick ago, perhaps more, and nothing early.

        In no order within a tick.
        """
        over = self._wheel.due(now)
        for ticket in over:
            self._end(ticket)
        return over

    def next_expiry(self) -> float | None:
        """Return the earliest `now` at which `expire` returns something, or None if nothing waits."""
        return self._wheel.next_due()

    def depths(self) -> Depths:
        """Return how many tickets wait in each level, with those that are over but not expired yet."""
        first, second, third, fourth, fifth = (lines.waiting + lines.overdue for lines in self._levels)
        return first, second, third, fourth, fifth

    def oldest(self, now: float) -> float:
        """Return the age in seconds of the oldest ticket at the head of a line, 0.0 if there is none.

        Exact where clients push in the order of `queued_at`; a ticket pushed late stands behind younger ones
        of its client and is not seen. Costs a look at each line.
        """
        heads = (next(iter(line)).queued_at for lines in self._levels for line in lines)
        return max(0.0, now - min(heads, default=now))

    def peek(self, n: int) -> list[Ticket]:
        """Return up to `n` waiting tickets about in the order of dispatch, for people; changes nothing.

        Level by level, and inside a level the clients by turns: as if there were no reserved share, and no
        time.
        """
        return list(islice(chain.from_iterable(_by_turns(lines) for lines in self._levels), n))

    def drain(self) -> list[Ticket]:
        """Take out and return everything, in no order."""
        tickets = self._wheel.clear()
        for ticket in tickets:
            ticket.place = ENDED
        self._levels = tuple(Lines() for _ in range(LEVELS))
        self._has = 0
        self._size = 0
        return tickets

    def _end(self, ticket: Ticket) -> None:
        """Account for a ticket that the wheel has let go."""
        lines = self._levels[ticket.level]
        lines.end(ticket)
        if not lines.waiting:
            self._has &= ~(1 << ticket.level)
        self._size -= 1


def _by_turns(lines: Lines) -> Iterator[Ticket]:
    """Yield the tickets of one level, the clients taking turns."""
    turns = [iter(line) for line in lines]
    while turns:
        still = []
        for line in turns:
            ticket = next(line, None)
            if ticket is not None:
                still.append(line)
                yield ticket
        turns = still


def _unfit(ticket: Ticket) -> str:
    if not 0 <= ticket.level < LEVELS:
        return f"ticket {ticket.id} has level {ticket.level}, expected 0 to {LEVELS - 1}"
    if ticket.place == ENDED:
        return f"ticket {ticket.id} was discarded or expired and cannot wait again; make a new one"
    return f"ticket {ticket.id} waits already; a ticket can be pushed again only after it was popped"
