"""One level of the schedule: a line of tickets for each client, and the ring in which the clients take their
turns.

Decides who is next inside a level. Does not know of other levels, and does not decide when a ticket expires.

Round robin between clients (Nagle, "On Packet Switches with Infinite Storage", RFC 970): a client that comes
in goes to the end of the ring, one that was served too, and one that has nothing left loses its place. First
in, first out per client.

Guests (workers of another pool that help out) may not take strict tickets. What a guest passes over is put
aside, once: a strict ticket into its line's `aside`, which is before the rest of its line, and a client of
whom only such tickets are left into the level's `aside`, which is before the ring. So owners, who take from
`aside` first, find everything in the order in which it came, and a guest pays only for what no guest has seen
yet. A client that has something for guests again comes before the ring, behind those still aside.

Tickets that end while they wait (cancelled, expired) stay behind as tombstones until they are met or swept
out.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Final

import msgspec

_TOLERATED: Final = 64
# Tombstones beyond the number of waiting tickets before they are swept out.

_SPARE: Final = 64
# Empty lines kept for the next client: most clients have one message waiting or none, and making a line costs
# as much as all the rest of a push.

FREE, WAITING, OVERDUE, ENDED = range(4)
# Where a ticket is: in no scheduler; in a line; out of its line because it was met after its time; ended for
# good.


class Ticket(msgspec.Struct, kw_only=True, eq=False, gc=False):
    """A message's place in the queue; the message itself is elsewhere.

    Not tracked by the garbage collector: nothing in it may ever refer back to it.

    Attributes:
        id: the message's id.
        level: 0..4, 0 is served first.
        client: whose line it waits in.
        expires_at: monotonic seconds from which on it is never handed out; finite, must not change while it
            waits.
        queued_at: monotonic seconds since which the message waits; for its age only, not for its place.
        strict: no guest may take it.
        place: the scheduler's own.
        bucket: the wheel's own.
        slot: the wheel's own.
    """

    id: str
    level: int
    client: str
    expires_at: float
    queued_at: float
    strict: bool = False
    place: int = FREE
    bucket: int = 0
    slot: int = 0


class Line:
    """What one client has waiting in one level."""

    __slots__ = ("apart", "aside", "client", "live", "queue")

    def __init__(self, client: str) -> None:
        self.client = client
        self.queue: deque[Ticket] = deque()
        self.aside: deque[Ticket] | None = None
        self.live = 0
        self.apart = False

    def __iter__(self) -> Iterator[Ticket]:
        """Yield the waiting tickets, the next one first."""
        for queue in (self.aside or (), self.queue):
            for ticket in queue:
                if ticket.place == WAITING:
                    yield ticket

    def sweep(self) -> None:
        """Remove the tombstones."""
        if self.held > self.live:
            self.queue = deque(ticket for ticket in self.queue if ticket.place == WAITING)
            self.aside = deque(ticket for ticket in self.aside or () if ticket.place == WAITING)

    @property
    def held(self) -> int:
        """Tickets and tombstones."""
        return len(self.queue) + len(self.aside or ())


class Lines:
    """All clients of one level.

    Attributes:
        waiting: tickets in lines.
        overdue: tickets that were met after their time and left their line, but have not been expired yet.
        tombstones: ended tickets that are still in a line.
    """

    __slots__ = ("_apart", "_by_client", "_ring", "_spare", "overdue", "tombstones", "waiting")

    def __init__(self) -> None:
        self.waiting = 0
        self.overdue = 0
        self.tombstones = 0
        self._by_client: dict[str, Line] = {}
        self._ring: deque[Line] = deque()
        self._apart: OrderedDict[str, Line] = OrderedDict()
        self._spare: list[Line] = []

    def __iter__(self) -> Iterator[Line]:
        """Yield the lines that have something, the next one first."""
        yield from self._apart.values()
        yield from (line for line in self._ring if line.live)

    def push(self, ticket: Ticket) -> None:
        """Put a ticket at the end of its client's line."""
        line = self._by_client.get(ticket.client)
        if line is None:
            line = self._enter(ticket.client)
        elif line.apart and not ticket.strict:
            self._rejoin(line)
        line.queue.append(ticket)
        ticket.place = WAITING
        line.live += 1
        self.waiting += 1

    def push_front(self, ticket: Ticket) -> None:
        """Put a ticket at the head of its client's line."""
        line = self._by_client.get(ticket.client)
        if line is None:
            line = self._enter(ticket.client)
        elif line.apart and not ticket.strict:
            self._rejoin(line)
        if line.aside:
            # It comes before what guests passed over, and they must see it: only here things are moved back.
            line.queue.extendleft(reversed(line.aside))
            line.aside.clear()
        line.queue.appendleft(ticket)
        ticket.place = WAITING
        line.live += 1
        self.waiting += 1

    def take(self, now: float, guest: bool) -> Ticket | None:
        """Take the next ticket whose time is not over, or None if there is none for this caller."""
        while True:
            if self._apart and not guest:
                line = self._apart.popitem(last=False)[1]
                line.apart = False
            elif self._ring:
                line = self._ring.popleft()
            else:
                return None
            ticket = self._take_from(line, now, guest)
            if not line.live:
                self._leave(line)
            elif ticket is not None:
                self._ring.append(line)
            else:
                line.apart = True
                self._apart[line.client] = line
            if ticket is not None:
                return ticket

    def _take_from(self, line: Line, now: float, guest: bool) -> Ticket | None:
        """Take the next ticket of one line; None if it has none that this caller may take."""
        while queue := (line.queue if guest else line.aside or line.queue):
            ticket = queue.popleft()
            if ticket.place != WAITING:
                self.tombstones -= 1
            elif ticket.expires_at <= now:
                ticket.place = OVERDUE
                line.live -= 1
                self.waiting -= 1
                self.overdue += 1
            elif guest and ticket.strict:
                if line.aside is None:
                    line.aside = deque()
                line.aside.append(ticket)
            else:
                ticket.place = FREE
                line.live -= 1
                self.waiting -= 1
                return ticket
        return None

    def end(self, ticket: Ticket) -> None:
        """Take out a ticket for good; in its line it stays behind as a tombstone."""
        was, ticket.place = ticket.place, ENDED
        if was == OVERDUE:
            self.overdue -= 1
            return
        line = self._by_client[ticket.client]
        line.live -= 1
        self.waiting -= 1
        self.tombstones += 1
        if not line.live:
            self._leave_early(line)
        if self.tombstones > self.waiting + _TOLERATED:
            self._sweep()

    def _enter(self, client: str) -> Line:
        if self._spare:
            line = self._spare.pop()
            line.client = client
        else:
            line = Line(client)
        self._by_client[client] = line
        self._ring.append(line)
        return line

    def _rejoin(self, line: Line) -> None:
        """Bring a client back before the guests, because it has something for them."""
        line.apart = False
        del self._apart[line.client]
        self._ring.appendleft(line)

    def _leave(self, line: Line) -> None:
        """Forget a line that is empty and in no ring any more."""
        if self._by_client.get(line.client) is line:
            del self._by_client[line.client]
        if line.queue or line.aside:
            self.tombstones -= line.held
            line.queue.clear()
            line.aside = None
        if len(self._spare) < _SPARE:
            self._spare.append(line)

    def _leave_early(self, line: Line) -> None:
        """Let a client lose its place although its line, with tombstones, may still be in the ring."""
        if line.apart:
            line.apart = False
            del self._apart[line.client]
            self._leave(line)
        else:
            del self._by_client[line.client]

    def _sweep(self) -> None:
        """Remove all tombstones; one pass over everything that waits, paid for by as many endings."""
        self._ring = deque(line for line in self._ring if line.live)
        for line in self:
            line.sweep()
        self.tombstones = 0
