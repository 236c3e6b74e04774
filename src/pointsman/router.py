"""The bare router: send, submit, look up, cancel, replay, drain. It owns the two stacks' front doors and nothing else.

The public `Router(settings)` is built around it by `assembly`; simulation and tests build it with other leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from math import inf
from typing import Final

from pointsman.model.errors import Conflict, NotFound
from pointsman.model.message import Envelope
from pointsman.model.outcome import Cause, Receipt, Refusal, Refused
from pointsman.model.result import Result
from pointsman.model.states import DEAD_LETTERS, ENDS, Status
from pointsman.model.views import DeadLetter, EndedMessage
from pointsman.ports import Admit, Attempt, Clock, Engine
from pointsman.runtime.dispatcher import Dispatcher
from pointsman.runtime.replies import BufferSink, Replies, Waiter
from pointsman.runtime.settling import Settler

_DRAIN_LOOK_S = 0.02

STRANDED_S: Final = 5.0
"""Beside an old router: how long a message waits for workers none of which may be called."""


async def _not_assembled(envelope: Envelope) -> Receipt:
    """Stand in for the admission stack until one is assembled."""
    return Refused(Refusal.UNAVAILABLE, f"message {envelope.id} came before the router was assembled")


class RouterCore:
    """A router without its settings: an admission stack, an engine, and callers that wait.

    `admit` is the admission stack; assembly sets it, and a reload replaces it as a whole.

    Args:
        engine: where messages wait.
        replies: callers that wait.
        settler: tells of messages that end without an attempt.
        clock: time.
        running: attempts by message id.
        dispatchers: by pool; of them a sender that waits to the end takes its own message.
        close_doors: makes admission refuse with `draining`.
    """

    def __init__(
        self,
        engine: Engine,
        replies: Replies,
        settler: Settler,
        clock: Clock,
        running: dict[str, Attempt],
        dispatchers: Mapping[str, Dispatcher],
        close_doors: Callable[[], None],
    ) -> None:
        self.admit: Admit = _not_assembled
        self._engine = engine
        self._replies = replies
        self._settler = settler
        self._clock = clock
        self._running = running
        self._dispatchers = dispatchers
        self._close_doors = close_doors
        self._replaying: set[str] = set()

    async def send(self, envelope: Envelope, wait_s: float | None, sink: BufferSink | None = None) -> Result | Refused:
        """Admit a message and wait for its end.

        Args:
            envelope: the message.
            wait_s: how long to wait, seconds; None waits for the end.
            sink: takes the answer as it comes; by default it is collected and comes with the result.

        Returns:
            What it ended as; its state so far where `wait_s` was over first; or why it was refused. A caller that is
            cancelled while it waits cancels its message.
        """
        waiter = self._replies.open(envelope.id, sink)
        envelope.by_sender = wait_s is None
        try:
            receipt = await self.admit(envelope)
            if isinstance(receipt, Refused):
                return receipt
            if envelope.by_sender:
                dispatcher = self._dispatchers[envelope.pool]
                attempt = await dispatcher.take(envelope)
                if attempt is not None:
                    await dispatcher.carry(attempt)
            if envelope.lane and not envelope.stored:
                refused, wait_s = await self._watch(envelope, waiter, wait_s)
                if refused is not None:
                    return refused
            return await self._await_end(envelope, waiter, wait_s)
        except asyncio.CancelledError:
            await self.cancel(envelope.id)
            raise
        finally:
            if not waiter.left:
                self._replies.close(envelope.id)

    async def _watch(
        self, envelope: Envelope, waiter: Waiter, wait_s: float | None
    ) -> tuple[Refused | None, float | None]:
        """Wait until a message that an old router could answer has ended, or is stranded; then it is taken back.

        Returns:
            The refusal of a stranded one, else None; and how long its sender waits from then on.
        """
        until = inf if wait_s is None else self._clock.monotonic() + wait_s
        while waiter.result is None:
            left_s = until - self._clock.monotonic()
            if left_s <= 0.0:
                return None, 0.0
            result = await waiter.wait(min(left_s, STRANDED_S))
            if result is None and left_s > STRANDED_S and self._is_stranded(envelope):
                await self.cancel(envelope.id, Cause.STRANDED)
                detail = f"no worker of pool {envelope.pool!r} may be called, and the old router is at hand"
                return Refused(Refusal.NO_WORKER, detail, STRANDED_S), None
        return None, wait_s

    def _is_stranded(self, envelope: Envelope) -> bool:
        """Nobody has seen it, it waits, and nobody is there who might take it."""
        waits = self._engine.status(envelope.id) in {Status.QUEUED, Status.DELAYED}
        if not waits or envelope.unsent < envelope.attempt:
            return False
        guests = not envelope.message.strict
        return not any(one.serves(envelope.pool, guests=guests) for one in self._dispatchers.values())

    async def _await_end(self, envelope: Envelope, waiter: Waiter, wait_s: float | None) -> Result:
        result = await waiter.wait(wait_s)
        if result is not None:
            return result
        self._replies.leave(envelope.id)
        view = await self._engine.get(envelope.id)
        return Result(
            id=envelope.id,
            status=view.status if view else Status.QUEUED,
            message_class=envelope.classification.message_class if envelope.classification else "",
            pool=envelope.pool,
            attempts=envelope.attempt,
            detail="the sender did not wait for the end; ask for it by id",
        )

    def leave(self, message_id: str) -> None:
        """The caller goes, and the message goes on: what it ends as is kept for a while."""
        self._replies.leave(message_id)

    async def submit(self, envelope: Envelope) -> Receipt:
        """Admit a message without waiting for its end."""
        return await self.admit(envelope)

    async def result(self, message_id: str) -> Result:
        """Return what is known of a message: its reply too, where its sender had not waited for it.

        Raises:
            NotFound: no such message, or it is no longer remembered.
        """
        late = self._replies.late(message_id)
        if late is not None:
            return late
        view = await self._engine.get(message_id)
        if view is None:
            raise NotFound(f"there is no message {message_id!r}, or it ended too long ago to be remembered")
        return Result(
            id=view.id,
            status=view.status,
            message_class=view.message_class,
            pool=view.queue,
            attempts=view.attempts,
            detail=view.detail,
        )

    async def cancel(self, message_id: str, cause: Cause = Cause.SENDER) -> bool:
        """End a message as cancelled, in its queue or at its worker; whether there was anything to end."""
        ended = await self._engine.cancel(message_id, cause)
        if ended is None:
            return False
        attempt = self._running.get(message_id)
        if attempt is not None and attempt.task is not asyncio.current_task():
            attempt.revoke()
        self._settler.ended(ended)
        return True

    async def purge(self, queue: str) -> int:
        """Cancel everything that waits in a queue; returns how many messages that were."""
        ended: list[EndedMessage] = await self._engine.purge(queue)
        for one in ended:
            self._settler.ended(one)
        return len(ended)

    async def replay(self, message_id: str, wrap: Callable[[Envelope], Envelope]) -> Result | Refused:
        """Send the message of a dead letter again and wait for its end as its first sender would have.

        The letter goes once the new message is on its way or has ended; it stays where that one was refused or
        cancelled, so that nothing is lost by trying.

        Args:
            message_id: of the dead letter.
            wrap: makes a fresh envelope for the message of an old one.

        Raises:
            NotFound: there is no such letter.
            Conflict: it is being replayed already, or the message cannot have one.
        """
        letter = await self._replayable(message_id)
        self._replaying.add(message_id)
        try:
            result = await self.send(wrap(letter.envelope), letter.envelope.message.wait_s)
            if isinstance(result, Result) and result.status is not Status.CANCELLED:
                await self._engine.drop_dead_letter(message_id)
            return result
        finally:
            self._replaying.discard(message_id)

    async def _replayable(self, message_id: str) -> DeadLetter:
        if message_id in self._replaying:
            raise Conflict(f"dead letter {message_id!r} is being replayed already; wait for that to end")
        letter = await self._engine.dead_letter(message_id)
        if letter is not None:
            return letter
        view = await self._engine.get(message_id)
        if view is None:
            raise NotFound(f"there is no dead letter {message_id!r}")
        if view.status in DEAD_LETTERS:
            raise NotFound(f"there is no dead letter {message_id!r} any more: it was replayed or dropped")
        raise Conflict(f"message {message_id!r} is {view.status}, so it is no dead letter and cannot be replayed")

    async def drain(self, timeout_s: float) -> bool:
        """Take nothing new and let what is in hand end; what has not ended after `timeout_s` is cancelled.

        Returns:
            Whether everything ended by itself.
        """
        self._close_doors()
        deadline = self._clock.monotonic() + timeout_s
        while True:
            counts = await self._engine.counts()
            left = counts.waiting + counts.in_flight
            if left == 0:
                return True
            if self._clock.monotonic() >= deadline:
                break
            await self._clock.sleep_until(min(deadline, self._clock.monotonic() + _DRAIN_LOOK_S))
        for view in await self._engine.find(limit=left + 1):
            if view.status not in ENDS:
                await self.cancel(view.id, Cause.SHUTDOWN)
        return False
