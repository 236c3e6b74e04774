"""The local engine: every verb of `ports.Engine` on schedulers in memory.

What decides order lives in `core.schedule`; what a status may become lives in `model.states`; this file keeps the
records, the leases and the accounts, and never awaits. A stored message is refused by name: nothing here survives a
restart, and we do not promise what we cannot keep.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from pointsman.engines.local.archive import Archive
from pointsman.engines.local.cabinet import Cabinet
from pointsman.engines.local.queue import Queue
from pointsman.engines.local.record import Record, size_of, view
from pointsman.model.errors import EngineUnavailable, LeaseLost, NotFound
from pointsman.model.message import Envelope
from pointsman.model.outcome import (
    Accepted,
    Ack,
    Cause,
    Dead,
    Expire,
    Fail,
    Receipt,
    Refusal,
    Refused,
    RetryIn,
    Settlement,
)
from pointsman.model.settings import EngineSettings
from pointsman.model.states import DEAD_LETTERS, Status, step
from pointsman.ports import (
    Clock,
    Counts,
    DeadLetter,
    EndedMessage,
    Lease,
    MessageView,
    QueueView,
    Reaped,
    Source,
)


class LocalEngine:
    """Messages in this process's memory.

    Args:
        settings: bounds and the length of a lease.
        clock: time.
        queues: names of the queues, one for each pool.
    """

    def __init__(self, settings: EngineSettings, clock: Clock, queues: Sequence[str]) -> None:
        self._settings = settings
        self._clock = clock
        self._queues = {name: Queue(name) for name in queues}
        self._records: dict[str, Record] = {}
        self._leases: list[tuple[float, int, Record]] = []
        self._fence = 0
        self._bytes = 0
        self._in_flight = 0
        self._admitted = 0
        self._ended: dict[Status, int] = {}
        self._open = False
        self._archive = Archive(settings.keep_ended, settings.keep_dead_letters, settings.keep_dead_letter_bytes)
        self._cabinet = Cabinet()

    async def open(self) -> None:
        """Begin to accept."""
        self._open = True

    async def close(self) -> None:
        """Stop accepting; idempotent."""
        self._open = False

    def ensure_queues(self, names: Sequence[str]) -> None:
        """Add queues that a reload brought; existing ones keep what they hold."""
        for name in names:
            self._queues.setdefault(name, Queue(name))

    async def put(self, envelope: Envelope, delay_s: float = 0.0) -> Receipt:
        """Take the message, or say why not."""
        if not self._open:
            raise EngineUnavailable("the engine is closed: the router is not started or is shutting down")
        if envelope.stored:
            return Refused(Refusal.NOT_STORED, NOT_STORED)
        size = size_of(envelope)
        waiting = len(self._records) - self._in_flight
        if waiting >= self._settings.max_queued or self._bytes + size > self._settings.max_queued_bytes:
            detail = f"{waiting} messages ({self._bytes} bytes) wait already; send again later"
            return Refused(Refusal.QUEUE_FULL, detail, retry_after_s=1.0)
        queue = self._queue(envelope.pool)
        now = self._clock.monotonic()
        record = Record(envelope, None, Status.QUEUED, 0, 0.0, size)
        self._records[envelope.id] = record
        self._bytes += size
        self._admitted += 1
        if delay_s > 0.0:
            record.status = Status.DELAYED
            queue.delay(record, now + delay_s)
        else:
            queue.enter(record, now)
        return Accepted(envelope.id)

    async def lease(self, sources: Sequence[Source], want: int) -> list[Lease]:
        """Hand out at most `want` messages, the first source first."""
        now = self._clock.monotonic()
        leases: list[Lease] = []
        for source in sources:
            queue = self._queue(source.queue)
            if queue.paused:
                continue
            while len(leases) < want:
                ticket = queue.ready.pop(now, source.guest)
                if ticket is None:
                    break
                leases.append(self._hand_out(self._records[ticket.id], queue, now))
        return leases

    def _hand_out(self, record: Record, queue: Queue, now: float) -> Lease:
        record.status = step(record.status, "lease")
        envelope = record.envelope
        envelope.attempt += 1
        self._in_flight += 1
        queue.in_flight += 1
        self._hold(record, now + self._settings.lease_s)
        return Lease(envelope, envelope.attempt, queue.name, record.fence)

    def _hold(self, record: Record, until: float) -> None:
        self._fence += 1
        record.fence = self._fence
        record.due = until
        heapq.heappush(self._leases, (until, self._fence, record))
        if len(self._leases) > 1024 and len(self._leases) > 4 * self._in_flight:
            self._leases = [entry for entry in self._leases if entry[1] == entry[2].fence]
            heapq.heapify(self._leases)

    async def renew(self, lease: Lease, for_s: float) -> None:
        """Hold a lease for `for_s` more seconds."""
        self._held(lease).due = self._clock.monotonic() + for_s

    async def settle(self, lease: Lease, settlement: Settlement) -> None:
        """End an attempt as the settlement says."""
        record = self._held(lease)
        match settlement:
            case Ack():
                self._end(record, "ack", None, "")
            case RetryIn():
                self._retry(record, settlement.delay_s)
            case Fail():
                self._end(record, "fail", Cause.MESSAGE_FAULT, settlement.detail)
            case Dead():
                self._end(record, "bury", settlement.cause, settlement.detail)
            case Expire():
                self._end(record, "expire", Cause.TTL, EXPIRED)

    def _retry(self, record: Record, delay_s: float) -> None:
        queue = self._release(record)
        now = self._clock.monotonic()
        if delay_s > 0.0:
            record.status = step(record.status, "retry")
            queue.delay(record, now + delay_s)
        else:
            record.status = step(record.status, "release")
            queue.enter(record, now, front=True)

    def _release(self, record: Record) -> Queue:
        record.fence = 0
        queue = self._queue(record.envelope.pool)
        queue.in_flight -= 1
        self._in_flight -= 1
        return queue

    def _held(self, lease: Lease) -> Record:
        record = self._records.get(lease.envelope.id)
        if record is None or record.status is not Status.LEASED or record.fence != lease.fence:
            raise LeaseLost(f"attempt {lease.attempt} of message {lease.envelope.id} no longer holds its lease")
        return record

    def _end(self, record: Record, event: str, cause: Cause | None, detail: str) -> Status:
        status = step(record.status, event)
        if record.status is Status.LEASED:
            self._release(record)
        record.status = status
        envelope = record.envelope
        del self._records[envelope.id]
        self._bytes -= record.size_bytes
        self._ended[status] = self._ended.get(status, 0) + 1
        wall = self._clock.wall()
        self._archive.remember(view(envelope, status, cause=cause, detail=detail, ended=wall))
        if status in DEAD_LETTERS and cause is not None:
            self._archive.bury(DeadLetter(envelope, status, cause, detail, wall))
        return status

    async def cancel(self, message_id: str) -> EndedMessage | None:
        """End a message as cancelled, wherever it is."""
        record = self._records.get(message_id)
        if record is None:
            return None
        return self._remove(record, Cause.SENDER, "the sender cancelled it or went away")

    def _remove(self, record: Record, cause: Cause, detail: str) -> EndedMessage:
        queue = self._queue(record.envelope.pool)
        waited = record.status
        status = self._end(record, "cancel", cause, detail)
        if waited is Status.QUEUED and record.ticket is not None:
            queue.ready.discard(record.ticket)
        elif waited is Status.DELAYED:
            queue.forget_delayed()
        return EndedMessage(record.envelope, status, cause, detail)

    async def reap(self) -> Reaped:
        """End what expired, make ready what was delayed, fence leases that ran out."""
        now = self._clock.monotonic()
        ended: list[EndedMessage] = []
        ready: list[str] = []
        for queue in self._queues.values():
            for ticket in queue.ready.expire(now):
                ended.append(self._expire(self._records[ticket.id]))
            for record in queue.due(now):
                if record.envelope.expires_at <= now:
                    ended.append(self._expire(record))
                    continue
                record.status = step(record.status, "ready")
                queue.enter(record, now)
                if not ready or ready[-1] != queue.name:
                    ready.append(queue.name)
        lost = self._lost_leases(now)
        return Reaped(ended, ready, lost, self._next_due())

    def _expire(self, record: Record) -> EndedMessage:
        status = self._end(record, "expire", Cause.TTL, EXPIRED)
        return EndedMessage(record.envelope, status, Cause.TTL, EXPIRED)

    def _lost_leases(self, now: float) -> list[Lease]:
        lost: list[Lease] = []
        while self._leases and self._leases[0][0] <= now:
            _, fence, record = heapq.heappop(self._leases)
            if record.fence != fence:
                continue
            if record.due > now:
                heapq.heappush(self._leases, (record.due, fence, record))
                continue
            self._hold(record, now + self._settings.lease_s)
            lost.append(Lease(record.envelope, record.envelope.attempt, record.envelope.pool, record.fence))
        return lost

    def _next_due(self) -> float | None:
        times = [due for queue in self._queues.values() if (due := queue.next_due()) is not None]
        if self._leases:
            times.append(self._leases[0][0])
        return min(times, default=None)

    def envelope(self, message_id: str) -> Envelope | None:
        """The envelope of a message that has not ended."""
        record = self._records.get(message_id)
        return record.envelope if record else None

    async def get(self, message_id: str) -> MessageView | None:
        """What is known of a message, ended or not."""
        record = self._records.get(message_id)
        return view(record.envelope, record.status) if record else self._archive.view(message_id)

    async def find(
        self,
        *,
        status: Status | None = None,
        client: str | None = None,
        conversation_id: str | None = None,
        since: float | None = None,
        limit: int = 100,
    ) -> list[MessageView]:
        """Messages that match, those that have not ended first, newest first in each group. `since` in Unix seconds."""
        found: list[MessageView] = []
        live = (view(record.envelope, record.status) for record in reversed(self._records.values()))
        for candidates in (live, self._archive.views()):
            for one in candidates:
                if len(found) >= limit:
                    return found
                if (
                    (status is None or one.status is status)
                    and (client is None or one.client == client)
                    and (conversation_id is None or one.conversation_id == conversation_id)
                    and (since is None or one.created >= since)
                ):
                    found.append(one)
        return found

    async def dead_letters(self, *, limit: int = 100) -> list[DeadLetter]:
        """Dead letters, the newest first."""
        return [letter for letter, _ in zip(self._archive.letters(), range(limit), strict=False)]

    async def dead_letter(self, message_id: str) -> DeadLetter | None:
        """One dead letter."""
        return self._archive.letter(message_id)

    async def drop_dead_letter(self, message_id: str) -> bool:
        """Forget one dead letter."""
        return self._archive.drop(message_id)

    async def counts(self) -> Counts:
        """The accounting identity in numbers."""
        return Counts(
            admitted=self._admitted,
            delivered=self._ended.get(Status.DELIVERED, 0),
            failed=self._ended.get(Status.FAILED, 0),
            dead=self._ended.get(Status.DEAD, 0),
            expired=self._ended.get(Status.EXPIRED, 0),
            cancelled=self._ended.get(Status.CANCELLED, 0),
            waiting=len(self._records) - self._in_flight,
            in_flight=self._in_flight,
        )

    async def queues(self) -> list[QueueView]:
        """State of every queue."""
        now = self._clock.monotonic()
        return [queue.describe(now) for queue in self._queues.values()]

    def waiting(self, queue: str) -> int:
        """How many messages are ready in a queue; what admission looks at, so it never awaits."""
        return len(self._queue(queue).ready)

    async def pause(self, queue: str) -> None:
        """Hand out nothing from this queue."""
        self._queue(queue).paused = True

    async def resume(self, queue: str) -> None:
        """Hand out again."""
        self._queue(queue).paused = False

    async def purge(self, queue: str) -> list[EndedMessage]:
        """Cancel everything that waits in the queue."""
        where = self._queue(queue)
        waiting = [self._records[ticket.id] for ticket in where.ready.drain()]
        waiting.extend(where.delayed())
        ended: list[EndedMessage] = []
        for record in waiting:
            delayed = record.status is Status.DELAYED
            status = self._end(record, "cancel", Cause.PURGED, PURGED)
            if delayed:
                where.forget_delayed()
            ended.append(EndedMessage(record.envelope, status, Cause.PURGED, PURGED))
        return ended

    async def read(self, key: str) -> tuple[bytes, int] | None:
        """Value and version of a key."""
        return self._cabinet.read(key)

    async def swap(self, key: str, expect: int, value: bytes) -> int | None:
        """Write if nobody else did."""
        return self._cabinet.swap(key, expect, value)

    async def watch(self, key: str, after: int) -> tuple[bytes, int]:
        """Wait for a newer version."""
        return await self._cabinet.watch(key, after)

    def _queue(self, name: str) -> Queue:
        try:
            return self._queues[name]
        except KeyError:
            known = ", ".join(sorted(self._queues)) or "none"
            raise NotFound(f"there is no queue {name!r}; known: {known}") from None


NOT_STORED = (
    "this router keeps messages in memory only, so it cannot promise to keep one: send with wait = true and without"
    " durable, not_before, delay_s or an Idempotency-Key"
)
EXPIRED = "its time to live ended before a worker was free for it"
PURGED = "its queue was purged"
