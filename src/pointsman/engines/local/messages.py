"""The messages of the local engine that have not ended, and every step of their lives. No other file takes a step.

What a status may become stands in `model.states`; which message is next is the queue's to say. Times are monotonic
seconds, but for `wall`, which is Unix seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pointsman.engines.local.accounts import Accounts
from pointsman.engines.local.archive import Archive
from pointsman.engines.local.leases import Leases
from pointsman.engines.local.queue import Queue
from pointsman.engines.local.record import Record, view
from pointsman.model.outcome import Cause
from pointsman.model.states import DEAD_LETTERS, Status, step
from pointsman.model.views import Counts, DeadLetter, EndedMessage
from pointsman.ports import Lease

EXPIRED: Final = "its time to live ended before a worker was free for it"

CANCELLED: Final = {
    Cause.SENDER: "the sender cancelled it or went away",
    Cause.PURGED: "its queue was purged",
    Cause.SHUTDOWN: "the router was stopped before it could end",
    Cause.STRANDED: "no worker could be called for it, and the old router took it over",
}
"""Why a message was cancelled, in words."""


class Messages:
    """Live messages by id, their leases and accounts.

    Args:
        archive: remembers what has ended.
        lease_s: length of a lease, seconds.
        released: called with the name of a queue in which a message that was held back has become ready.
    """

    def __init__(self, archive: Archive, lease_s: float, released: Callable[[str], None]) -> None:
        self.records: dict[str, Record] = {}
        self.leases = Leases()
        self._accounts = Accounts()
        self._archive = archive
        self._lease_s = lease_s
        self._released = released

    @property
    def waiting(self) -> int:
        """Messages that are ready or delayed."""
        return len(self.records) - len(self.leases)

    @property
    def held_bytes(self) -> int:
        """Bytes of all messages that have not ended, those that are out included."""
        return self._accounts.held_bytes

    def counts(self) -> Counts:
        """Return the accounting identity in numbers."""
        return self._accounts.counts(waiting=self.waiting, in_flight=len(self.leases))

    def take(self, record: Record, queue: Queue, now: float, delay_s: float) -> None:
        """Accept a message, ready now or after a delay."""
        self.records[record.envelope.id] = record
        self._accounts.took(record.size_bytes)
        if delay_s > 0.0:
            record.status = Status.DELAYED
            queue.delay(record, now + delay_s)
        else:
            queue.enter(record, now)

    def hand_out(self, record: Record, queue: Queue, now: float) -> Lease:
        """Lease a message that the queue has given away."""
        record.status = step(record.status, "lease")
        envelope = record.envelope
        envelope.attempt += 1
        queue.in_flight += 1
        self.leases.grant(record, now + self._lease_s)
        return Lease(envelope, envelope.attempt, queue.name, record.fence)

    def fence_anew(self, record: Record, now: float) -> Lease:
        """Take a lease that ran out from whoever held it, and return a fresh one for the same attempt."""
        self.leases.release(record)
        self.leases.grant(record, now + self._lease_s)
        return Lease(record.envelope, record.envelope.attempt, record.envelope.pool, record.fence)

    def retry(self, record: Record, queue: Queue, now: float, delay_s: float) -> None:
        """Make a message that is out ready again: after a delay, or at once in its old place."""
        status = step(record.status, "retry" if delay_s > 0.0 else "release")
        self._release(record, queue)
        record.status = status
        if status is Status.DELAYED:
            queue.delay(record, now + delay_s)
        else:
            queue.enter(record, now, front=True)

    def ready(self, record: Record, queue: Queue, now: float) -> None:
        """Make a delayed message that the queue has given back ready."""
        record.status = step(record.status, "ready")
        queue.enter(record, now)

    def cancel(self, record: Record, queue: Queue, wall: float, cause: Cause) -> EndedMessage:
        """End a message as cancelled, wherever it is; a ready one must have left the order."""
        detail = CANCELLED[cause]
        if record.status is Status.DELAYED:
            queue.forget_delayed(record)
        return self.end(record, queue, wall, "cancel", cause, detail)

    def expire(self, record: Record, queue: Queue, wall: float) -> EndedMessage:
        """End a message whose time to live is over; a waiting one must have left the order."""
        return self.end(record, queue, wall, "expire", Cause.TTL, EXPIRED)

    def end(self, record: Record, queue: Queue, wall: float, event: str, cause: Cause, detail: str) -> EndedMessage:
        """End a message otherwise than delivered."""
        status = self._close(record, queue, wall, event, cause, detail)
        if status in DEAD_LETTERS:
            self._archive.bury(DeadLetter(record.envelope, status, cause, detail, wall), record.size_bytes)
        return EndedMessage(record.envelope, status, cause, detail)

    def deliver(self, record: Record, queue: Queue, wall: float) -> None:
        """End a message as delivered."""
        self._close(record, queue, wall, "ack", None, "")

    def _close(self, record: Record, queue: Queue, wall: float, event: str, cause: Cause | None, detail: str) -> Status:
        status = step(record.status, event)
        if record.status is Status.LEASED:
            self._release(record, queue)
        record.status = status
        envelope = record.envelope
        del self.records[envelope.id]
        self._accounts.ended(status, record.size_bytes)
        self._archive.remember(view(envelope, status, cause=cause, detail=detail, ended=wall))
        if envelope.serial_key and queue.ended(record):
            self._released(queue.name)
        return status

    def _release(self, record: Record, queue: Queue) -> None:
        self.leases.release(record)
        queue.in_flight -= 1
