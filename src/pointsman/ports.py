"""The shape of the system: every protocol that one part asks of another. No implementation lives here.

A router is an async function from an Envelope to a Receipt, wrapped in layers; a delivery is an async function from an
Attempt to an Outcome, wrapped in layers; an Engine sits between them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from pointsman.model.message import Envelope
from pointsman.model.outcome import Cause, Outcome, Receipt, Refused, Settlement
from pointsman.model.states import Status
from pointsman.model.usage import Usage
from pointsman.model.views import Counts, DeadLetter, EndedMessage, MessageView, QueueView

if TYPE_CHECKING:
    from asyncio import Task

    from pointsman.core.load import WorkerLoad


class Clock(Protocol):
    """Time. The only source of it outside `runtime/clock.py` and `sim/loop.py`."""

    def monotonic(self) -> float:
        """Seconds that only ever grow; for every decision and every duration."""
        ...

    def wall(self) -> float:
        """Unix seconds; for records and people, never for a decision."""
        ...

    async def sleep_until(self, when_s: float) -> None:
        """Return once `monotonic()` has reached `when_s`."""
        ...


class ReplySink(Protocol):
    """Where a worker's answer goes, piece by piece, so that streaming needs no second way.

    An answer of status 300 or more is kept and shown only if the message ends with it; `started` stays false.
    """

    @property
    def started(self) -> bool:
        """The sender has already seen a part of the answer, so no other attempt may answer instead."""
        ...

    @property
    def closed_by_client(self) -> bool:
        """Nobody wants the answer any more."""
        ...

    def start(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """Begin an answer in the worker's own bytes; discards what an earlier, unseen attempt wrote."""
        ...

    async def write(self, chunk: bytes) -> None:
        """Add bytes; waits while the sender is slower than the worker."""
        ...

    def write_now(self, chunk: bytes) -> bool:
        """Add bytes if that takes no waiting; where it would, do nothing and return False."""
        ...

    def put(self, value: Any) -> None:
        """Give the whole answer as one JSON value, instead of `start` and `write`."""
        ...


@dataclass(slots=True, eq=False)
class Lease:
    """The engine's promise that nobody else works on a message for a while.

    Attributes:
        envelope: the message.
        attempt: number of this hand-out, 1.. and rising.
        source: the queue it was taken from.
        fence: the engine's token; a settlement with an older one is refused.
    """

    envelope: Envelope
    attempt: int
    source: str
    fence: int


@dataclass(slots=True, eq=False)
class Attempt:
    """One hand-out on its way through the delivery stack.

    Attributes:
        envelope: the message.
        lease: what settles it.
        pool: the pool whose worker will get it.
        started_at: monotonic seconds of the hand-out.
        reply: where the answer goes.
        timeout_s: longest this attempt may last.
        claimed: a slot of the pool is promised to it and no worker is chosen yet.
        task: carries it: one of its own, or that of the sender who waits; filled by the dispatcher.
        revoked: whoever ended the message, or gave it to somebody else, has cancelled this attempt.
        worker: filled by the endpoint stack with the worker's id.
        worker_s: seconds spent in the worker; filled by the endpoint stack.
        parked_s: seconds for which it waited for a particular worker, or a kind of workers, while others were free.
        preferred: id of the worker that served its conversation last, or empty; filled by `Pick`.
        usage: tokens it took; filled by the transport, also where the answer is cut short or cancelled.
        first_token_at: monotonic seconds at which the first byte of a streamed answer came; filled by the transport.
        price_name: name of the model whose price counts; filled by the endpoint stack.
        provider_headers: headers of the worker's reply, as `heard` was given them.
        on_head: told of them at once; set by an endpoint layer that learns from them.
    """

    envelope: Envelope
    lease: Lease
    pool: str
    started_at: float
    reply: ReplySink
    timeout_s: float
    claimed: bool = False
    task: Task[Any] | None = None
    revoked: bool = False
    worker: str = ""
    worker_s: float = 0.0
    parked_s: float = 0.0
    preferred: str = ""
    usage: Usage | None = None
    first_token_at: float | None = None
    price_name: str = ""
    provider_headers: Sequence[tuple[str, str]] = ()
    on_head: Callable[[Sequence[tuple[str, str]]], None] | None = None

    def heard(self, headers: Sequence[tuple[str, str]]) -> None:
        """The head of the worker's reply has come.

        A transport that speaks HTTP calls this once for EVERY reply, errors too, with all its headers, before it reads
        the body: rate limits are learnt from them. Names in any case.
        """
        self.provider_headers = headers
        if self.on_head is not None:
            self.on_head(headers)

    def revoke(self) -> None:
        """Break it off: its result counts no more. Not twice, that would break off its clean-up."""
        if not self.revoked and self.task is not None:
            self.revoked = True
            self.task.cancel()


Admit = Callable[[Envelope], Awaitable[Receipt]]
Deliver = Callable[[Attempt], Awaitable[Outcome]]
AdmitLayer = Callable[[Admit], Admit]
DeliverLayer = Callable[[Deliver], Deliver]


class Purse(Protocol):
    """Pays for messages."""

    def reserve(self, envelope: Envelope) -> Refused | None:
        """Set aside what a message may take, by its `estimate`; or return why it is not to be paid for."""
        ...

    def release(self, envelope: Envelope) -> None:
        """Give back what was set aside: the message is not sent after all. Harmless where nothing was."""
        ...


class Transport(Protocol):
    """How one worker is spoken to. `send` never raises for what the worker did; only cancellation passes through."""

    async def open(self) -> None:
        """Prepare; a worker that cannot be reached now is no error."""
        ...

    async def send(self, attempt: Attempt) -> Outcome:
        """Give the worker the message and write its answer into `attempt.reply`.

        Returns after the last byte: `Delivered`, or `Failed` with `sent` telling whether the worker may have begun to
        act. A cancelled call closes what it holds before it passes the cancellation on.
        """
        ...

    async def probe(self) -> bool:
        """Whether the worker can be reached, cheaply and without work."""
        ...

    async def close(self) -> None:
        """Release everything; idempotent."""
        ...


class Balancer(Protocol):
    """Chooses a worker among those that can take one more message now. Owns no other rule.

    A load is *eligible* while `WorkerLoad.available > 0`. Every change of a load is announced with `update`, so that
    no pick ever scans the fleet.
    """

    def add(self, load: WorkerLoad) -> None:
        """A worker joined."""
        ...

    def remove(self, load: WorkerLoad) -> None:
        """A worker left; unknown ones are ignored."""
        ...

    def update(self, load: WorkerLoad) -> None:
        """Something that decides eligibility or cost changed."""
        ...

    def pick(self, now: float, avoid: Collection[str] = ()) -> WorkerLoad | None:
        """Return an eligible worker whose id is not in `avoid`, or None. Changes no load."""
        ...


@dataclass(slots=True, frozen=True)
class Source:
    """A queue to lease from. `guest` is true where the queue belongs to another pool: strict messages stay there."""

    queue: str
    guest: bool = False


class Reaped(msgspec.Struct, frozen=True):
    """What time has done.

    Attributes:
        ended: messages that expired while they waited.
        ready: queues in which something has become ready.
        lost: leases that ran out; each is fenced afresh and must be settled by whoever reaped it.
        next_due: monotonic seconds at which reaping is worth it again, or None.
    """

    ended: list[EndedMessage]
    ready: list[str]
    lost: list[Lease]
    next_due: float | None


class Engine(Protocol):
    """Where messages wait. No verb is optional. Durations in seconds; illegal steps raise and change nothing.

    Of the messages of one queue that share a `serial_key`, one at a time is handed out, in the order of their arrival,
    whatever their priorities: the next one when that has ended, not while it is to be tried again. Those held back are
    queued like any other, and their time to live runs.
    """

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def put(self, envelope: Envelope, delay_s: float = 0.0) -> Receipt:
        """Take the message: `Accepted`, or `Refused` with `queue_full` or `not_stored`."""
        ...

    async def lease(self, sources: Sequence[Source], want: int) -> list[Lease]:
        """Hand out at most `want` messages, the first source first. Never one whose time to live is over."""
        ...

    async def renew(self, lease: Lease, for_s: float) -> None:
        """Hold a lease for `for_s` more seconds. Raises LeaseLost."""
        ...

    async def settle(self, lease: Lease, settlement: Settlement) -> None:
        """End an attempt. Raises LeaseLost where the lease no longer holds; nothing has changed then."""
        ...

    async def cancel(self, message_id: str, cause: Cause = Cause.SENDER) -> EndedMessage | None:
        """End a message that has not ended as cancelled; returns it, or None where it is unknown or has ended.

        `cause` is `sender`, `purged` or `shutdown`.
        """
        ...

    async def reap(self) -> Reaped:
        """Do what time asks for: end what expired, make ready what was delayed, take back lost leases."""
        ...

    def envelope(self, message_id: str) -> Envelope | None:
        """The envelope of a message that has not ended, where this process holds it."""
        ...

    def status(self, message_id: str) -> Status | None:
        """Where such a message is in its life: `queued`, `delayed` or `leased`."""
        ...

    async def get(self, message_id: str) -> MessageView | None: ...

    async def find(
        self,
        *,
        status: Status | None = None,
        client: str | None = None,
        conversation_id: str | None = None,
        since: float | None = None,
        limit: int = 100,
    ) -> list[MessageView]: ...

    async def dead_letters(self, *, limit: int = 100) -> list[DeadLetter]:
        """The newest first."""
        ...

    async def dead_letter(self, message_id: str) -> DeadLetter | None: ...

    async def drop_dead_letter(self, message_id: str) -> bool:
        """Remove it, for instance after a replay; whether it was there."""
        ...

    async def counts(self) -> Counts: ...

    async def queues(self) -> list[QueueView]: ...

    async def pause(self, queue: str) -> None: ...

    async def resume(self, queue: str) -> None: ...

    async def purge(self, queue: str) -> list[EndedMessage]:
        """Cancel everything that waits in the queue."""
        ...

    async def read(self, key: str) -> tuple[bytes, int] | None:
        """Value and version of a key of the router's own state."""
        ...

    async def swap(self, key: str, expect: int, value: bytes) -> int | None:
        """Write if the version is still `expect` (0 = absent); returns the new version, or None if it was not."""
        ...

    async def watch(self, key: str, after: int) -> tuple[bytes, int]:
        """Wait for a version above `after` and return it."""
        ...


class Notifier(Protocol):
    """Tells dispatchers that something may have become possible. Signals are hints: level-triggered and mergeable."""

    def notify(self, topic: str) -> None: ...

    async def wait(self, topic: str, until: float | None) -> None:
        """Return at the next signal for the topic, at once if there was one since the last wait, or at `until`."""
        ...
