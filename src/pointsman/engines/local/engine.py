"""The local engine: every verb of `ports.Engine` on schedulers in memory.

What decides order lives in `core.schedule`; the steps of a message's life, leases, accounts, what has ended and how to
search stand in files beside this one. This file puts them together and never awaits. A stored message
is refused by name: nothing here survives a restart, and we do not promise what we cannot keep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pointsman.engines.local.archive import Archive
from pointsman.engines.local.cabinet import Cabinet
from pointsman.engines.local.messages import Messages
from pointsman.engines.local.queue import Queue
from pointsman.engines.local.record import Record, size_of, view
from pointsman.engines.local.search import Wanted
from pointsman.model.errors import EngineUnavailable, NotFound, UsageError
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
from pointsman.model.states import Status
from pointsman.model.views import Counts, DeadLetter, EndedMessage, MessageView, QueueView
from pointsman.ports import Clock, Lease, Reaped, Source

NOT_STORED: Final = (
    "this router keeps messages in memory only, so it cannot promise to keep one: send with wait = true and without"
    " durable, not_before, delay_s or an Idempotency-Key"
)


class LocalEngine:
    """Messages in this process's memory.

    Args:
        settings: bounds and the length of a lease.
        clock: time.
        queues: names of the queues, one for each pool.
        resumed: called with the name of a queue that hands out again, or in which a message that was held back has
            become ready, so that whoever leases from it looks.
    """

    def __init__(
        self,
        settings: EngineSettings,
        clock: Clock,
        queues: Sequence[str],
        resumed: Callable[[str], None] = lambda queue: None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._resumed = resumed
        self._queues = {name: Queue(name) for name in queues}
        self._archive = Archive(settings.keep_ended, settings.keep_dead_letters, settings.keep_dead_letter_bytes)
        self._messages = Messages(self._archive, settings.lease_s, resumed)
        self._cabinet = Cabinet()
        self._open = False

    async def open(self) -> None:
        """Begin to accept and to hand out."""
        self._open = True

    async def close(self) -> None:
        """Accept and hand out nothing more; what is out may still be settled. Idempotent."""
        self._open = False

    def ensure_queues(self, names: Sequence[str]) -> None:
        """Add queues that a reload brought; existing ones keep what they hold."""
        for name in names:
            self._queues.setdefault(name, Queue(name))

    # The life of a message.

    async def put(self, envelope: Envelope, delay_s: float = 0.0) -> Receipt:
        """Take the message, or say why not."""
        self._must_be_open()
        if envelope.stored:
            return Refused(Refusal.NOT_STORED, NOT_STORED)
        settings, waiting, held = self._settings, self._messages.waiting, self._messages.held_bytes
        if envelope.id in self._messages.records:
            raise UsageError(f"message {envelope.id} is here already, and two under one id could not be told apart")
        size = size_of(envelope)
        if waiting >= settings.max_queued or held + size > settings.max_queued_bytes:
            detail = f"{waiting} messages wait already and {held} bytes are held; send again later"
            return Refused(Refusal.QUEUE_FULL, detail, retry_after_s=1.0)
        record = Record(envelope, None, Status.QUEUED, 0, 0.0, size)
        self._messages.take(record, self._queue(envelope.pool), self._clock.monotonic(), delay_s)
        return Accepted(envelope.id)

    async def lease(self, sources: Sequence[Source], want: int) -> list[Lease]:
        """Hand out at most `want` messages, the first source first."""
        self._must_be_open()
        now = self._clock.monotonic()
        records = self._messages.records
        leases: list[Lease] = []
        for source in sources:
            queue = self._queue(source.queue)
            if queue.paused:
                continue
            while len(leases) < want:
                ticket = queue.ready.pop(now, source.guest)
                if ticket is None:
                    break
                leases.append(self._messages.hand_out(records[ticket.id], queue, now))
        return leases

    async def renew(self, lease: Lease, for_s: float) -> None:
        """Hold a lease for `for_s` more seconds; never shortens it."""
        record = self._messages.leases.holder(lease)
        record.due = max(record.due, self._clock.monotonic() + for_s)

    async def settle(self, lease: Lease, settlement: Settlement) -> None:
        """End an attempt as the settlement says."""
        messages = self._messages
        record = messages.leases.holder(lease)
        queue = self._queue(record.envelope.pool)
        wall = self._clock.wall()
        match settlement:
            case Ack():
                messages.deliver(record, queue, wall)
            case RetryIn():
                messages.retry(record, queue, self._clock.monotonic(), settlement.delay_s)
            case Fail():
                messages.end(record, queue, wall, "fail", Cause.MESSAGE_FAULT, settlement.detail)
            case Dead():
                messages.end(record, queue, wall, "bury", settlement.cause, settlement.detail)
            case Expire():
                messages.expire(record, queue, wall)

    async def cancel(self, message_id: str, cause: Cause = Cause.SENDER) -> EndedMessage | None:
        """End a message as cancelled, wherever it is."""
        record = self._messages.records.get(message_id)
        if record is None:
            return None
        queue = self._queue(record.envelope.pool)
        if record.status is Status.QUEUED and record.ticket is not None:
            queue.ready.discard(record.ticket)
        return self._messages.cancel(record, queue, self._clock.wall(), cause)

    async def purge(self, queue: str) -> list[EndedMessage]:
        """Cancel everything that waits in the queue."""
        where, wall, records = self._queue(queue), self._clock.wall(), self._messages.records
        # Those held back first, so that none of them becomes ready because the one before it ends here.
        waiting = where.serial.drain()
        waiting += [records[ticket.id] for ticket in where.ready.drain()]
        return [self._messages.cancel(record, where, wall, Cause.PURGED) for record in [*waiting, *where.delayed()]]

    async def reap(self) -> Reaped:
        """End what expired, make ready what was delayed, fence leases that ran out."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        messages = self._messages
        ended: list[EndedMessage] = []
        ready: list[str] = []
        for queue in self._queues.values():
            # Those held back first, so that none of them becomes ready when its time is over already.
            over = queue.serial.expire(now)
            over += [messages.records[ticket.id] for ticket in queue.ready.expire(now)]
            come: list[Record] = []
            for record in queue.due(now):
                (over if record.envelope.expires_at <= now else come).append(record)
            ended += [messages.expire(record, queue, wall) for record in over]
            for record in come:
                messages.ready(record, queue, now)
            if come:
                ready.append(queue.name)
        lost = [messages.fence_anew(record, now) for record in messages.leases.run_out(now)]
        return Reaped(ended, ready, lost, self._next_due())

    def _next_due(self) -> float | None:
        times = [queue.next_due() for queue in self._queues.values()]
        return min((due for due in (*times, self._messages.leases.next_end()) if due is not None), default=None)

    # What an operator does and sees.

    async def pause(self, queue: str) -> None:
        """Hand out nothing from this queue."""
        self._queue(queue).paused = True

    async def resume(self, queue: str) -> None:
        """Hand out again."""
        self._queue(queue).paused = False
        self._resumed(queue)

    def envelope(self, message_id: str) -> Envelope | None:
        """The envelope of a message that has not ended."""
        record = self._messages.records.get(message_id)
        return record.envelope if record else None

    def status(self, message_id: str) -> Status | None:
        """Where a message that has not ended is in its life."""
        record = self._messages.records.get(message_id)
        return record.status if record else None

    def waiting(self, queue: str, level: int) -> int:
        """How many messages of this level or a higher one are ready; what admission looks at, so it never awaits."""
        return self._queue(queue).ahead(level)

    def is_paused(self, queue: str) -> bool:
        """Whether nothing is handed out from this queue, by an operator's wish."""
        return self._queue(queue).paused

    async def get(self, message_id: str) -> MessageView | None:
        """What is known of a message, ended or not."""
        record = self._messages.records.get(message_id)
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
        wanted = Wanted(status, client, conversation_id, since)
        return wanted.find(reversed(self._messages.records.values()), self._archive.views(), limit)

    async def dead_letters(self, *, limit: int = 100) -> list[DeadLetter]:
        """Dead letters, the newest first."""
        return self._archive.letters(limit)

    async def dead_letter(self, message_id: str) -> DeadLetter | None:
        """One dead letter."""
        return self._archive.letter(message_id)

    async def drop_dead_letter(self, message_id: str) -> bool:
        """Forget one dead letter."""
        return self._archive.drop(message_id)

    async def counts(self) -> Counts:
        """The accounting identity in numbers."""
        return self._messages.counts()

    async def queues(self) -> list[QueueView]:
        """State of every queue."""
        now = self._clock.monotonic()
        return [queue.describe(now) for queue in self._queues.values()]

    # Small state of the router's own.

    async def read(self, key: str) -> tuple[bytes, int] | None:
        """Value and version of a key."""
        return self._cabinet.read(key)

    async def swap(self, key: str, expect: int, value: bytes) -> int | None:
        """Write if nobody else did."""
        return self._cabinet.swap(key, expect, value)

    async def watch(self, key: str, after: int) -> tuple[bytes, int]:
        """Wait for a newer version."""
        return await self._cabinet.watch(key, after)

    def _must_be_open(self) -> None:
        if not self._open:
            raise EngineUnavailable("the engine is closed: the router is not started or is shutting down")

    def _queue(self, name: str) -> Queue:
        try:
            return self._queues[name]
        except KeyError:
            known = ", ".join(sorted(self._queues)) or "none"
            raise NotFound(f"there is no queue {name!r}; known: {known}") from None
