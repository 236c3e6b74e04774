"""One queue of the local engine: what is ready (a scheduler), what is delayed (a heap), what is held back until the
message before it has ended, and whether it is paused.
"""

from __future__ import annotations

import heapq
from operator import add

from pointsman.core.schedule import Scheduler, Ticket
from pointsman.engines.local.record import Record
from pointsman.engines.local.serial import SerialKeys
from pointsman.model.message import PRIORITIES
from pointsman.model.views import QueueView

_TOLERATED = 64
"""Entries of messages that are no longer delayed which the heap may hold before it is built anew."""


class Queue:
    """Messages that wait for one pool. The engine owns the records; the queue owns the order.

    The heap of delayed messages holds ids: a message that is cancelled is let go of at once, however long its delay.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.paused = False
        self.in_flight = 0
        self.ready = Scheduler()
        self.serial = SerialKeys()
        self._delayed: dict[str, Record] = {}
        self._wakes: list[tuple[float, str]] = []

    def enter(self, record: Record, now: float, *, front: bool = False) -> None:
        """Make a record ready; `front` gives it back its place at the head of its client's line.

        One whose key another message has the turn of is held back instead.
        """
        envelope = record.envelope
        if envelope.serial_key and not self.serial.admits(record):
            # The wait for the message before it is not the router's doing.
            envelope.waited = True
            self.serial.hold(record, ticket_for(record, now))
            return
        record.ticket = ticket_for(record, now)
        if front:
            self.ready.push_front(record.ticket)
        else:
            self.ready.push(record.ticket)

    def ended(self, record: Record) -> bool:
        """A record of a serial key has ended; whether that has made another one ready."""
        following = self.serial.ended(record)
        if following is None or following.ticket is None:
            return False
        self.ready.push(following.ticket)
        return True

    def delay(self, record: Record, due: float) -> None:
        """Keep a record out of the order until `due`, or until it expires, whichever is first."""
        record.due = min(due, record.envelope.expires_at)
        self._delayed[record.envelope.id] = record
        heapq.heappush(self._wakes, (record.due, record.envelope.id))

    def forget_delayed(self, record: Record) -> None:
        """A delayed record has ended; its entry in the heap is skipped when its time comes."""
        del self._delayed[record.envelope.id]
        if len(self._wakes) > _TOLERATED and len(self._wakes) > 2 * len(self._delayed):
            self._wakes = [(record.due, message_id) for message_id, record in self._delayed.items()]
            heapq.heapify(self._wakes)

    def due(self, now: float) -> list[Record]:
        """Take out the delayed records whose time has come; ready or expired is for the engine to say."""
        taken: list[Record] = []
        while (due := self._next_wake()) is not None and due <= now:
            taken.append(self._delayed.pop(heapq.heappop(self._wakes)[1]))
        return taken

    def delayed(self) -> list[Record]:
        """Return the records that are delayed, in no particular order."""
        return list(self._delayed.values())

    def _next_wake(self) -> float | None:
        """Return when the first delayed record is due, or None; drops entries that no longer mean anything."""
        wakes = self._wakes
        while wakes:
            due, message_id = wakes[0]
            record = self._delayed.get(message_id)
            if record is not None and record.due == due:
                return due
            heapq.heappop(wakes)
        return None

    def next_due(self) -> float | None:
        """Return the monotonic seconds at which something here expires or becomes ready, or None."""
        times = (self.ready.next_expiry(), self.serial.next_expiry(), self._next_wake())
        return min((at for at in times if at is not None), default=None)

    def ahead(self, level: int) -> int:
        """Return how many ready messages are of this level, 0..4, or of one that is served before it.

        Those held back do not count: of their key one at a time takes a slot.
        """
        if level >= len(PRIORITIES) - 1:
            return len(self.ready)
        return sum(self.ready.depths()[: level + 1])

    def describe(self, now: float) -> QueueView:
        """Return depth by level, delayed, in flight, and the age of the oldest."""
        first, second, third, fourth, fifth = map(add, self.ready.depths(), self.serial.depths)
        return QueueView(
            name=self.name,
            queued=(first, second, third, fourth, fifth),
            delayed=len(self._delayed),
            in_flight=self.in_flight,
            oldest_s=max(self.ready.oldest(now), self.serial.oldest(now)),
            paused=self.paused,
        )


def ticket_for(record: Record, now: float) -> Ticket:
    """Return a fresh place in the order for a record."""
    envelope = record.envelope
    return Ticket(
        id=envelope.id,
        level=envelope.level,
        client=envelope.client,
        expires_at=envelope.expires_at,
        strict=envelope.message.strict,
        queued_at=now,
    )
