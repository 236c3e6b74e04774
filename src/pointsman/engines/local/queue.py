"""One queue of the local engine: what is ready (a scheduler), what is delayed (a heap), and whether it is paused."""

from __future__ import annotations

import heapq

from pointsman.core.schedule import Scheduler, Ticket
from pointsman.engines.local.record import Record
from pointsman.model.states import Status
from pointsman.ports import QueueView


class Queue:
    """Messages that wait for one pool. The engine owns the records; the queue owns the order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.paused = False
        self.in_flight = 0
        self.ready = Scheduler()
        self._delayed: list[tuple[float, int, Record]] = []
        self._delayed_live = 0
        self._sequence = 0

    def enter(self, record: Record, now: float, *, front: bool = False) -> None:
        """Make a record ready; `front` gives it back its place at the head of its client's line."""
        record.ticket = ticket_for(record, now)
        if front:
            self.ready.push_front(record.ticket)
        else:
            self.ready.push(record.ticket)

    def delay(self, record: Record, due: float) -> None:
        """Keep a record out of the order until `due`, or until it expires, whichever is first."""
        record.due = due
        self._sequence += 1
        self._delayed_live += 1
        heapq.heappush(self._delayed, (min(due, record.envelope.expires_at), self._sequence, record))

    def forget_delayed(self) -> None:
        """A delayed record has ended or moved on; its entry in the heap is skipped when its time comes."""
        self._delayed_live -= 1
        if len(self._delayed) > 64 and len(self._delayed) > 2 * self._delayed_live:
            self._delayed = [entry for entry in self._delayed if entry[2].status is Status.DELAYED]
            heapq.heapify(self._delayed)

    def due(self, now: float) -> list[Record]:
        """Take out the delayed records whose time has come; ready or expired is for the engine to say."""
        taken: list[Record] = []
        while self._delayed and self._delayed[0][0] <= now:
            record = heapq.heappop(self._delayed)[2]
            if record.status is Status.DELAYED:
                self._delayed_live -= 1
                taken.append(record)
        return taken

    def delayed(self) -> list[Record]:
        """Records that are delayed, in no particular order."""
        return [record for _, _, record in self._delayed if record.status is Status.DELAYED]

    def next_due(self) -> float | None:
        """Monotonic seconds at which something here expires or becomes ready, or None."""
        first = self.ready.next_expiry()
        if self._delayed and (first is None or self._delayed[0][0] < first):
            return self._delayed[0][0]
        return first

    def describe(self, now: float) -> QueueView:
        """Return depth by level, delayed, in flight, and the age of the oldest."""
        return QueueView(
            name=self.name,
            queued=self.ready.depths(),
            delayed=self._delayed_live,
            in_flight=self.in_flight,
            oldest_s=self.ready.oldest(now),
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
