"""Beside the router that a program had before: each message goes to the one of the two whose turn it is.

The old router is an async function of the program. What it returns and what it raises reaches the sender as it is, and
nothing of ours looks at a message before it does. Who answers is decided by the rollout, whether the old one may step
in by `core.rollout.fallback`.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from pointsman.core.rollout.compare import Heard
from pointsman.core.rollout.fallback import after_end, after_refusal
from pointsman.model.errors import DeliveryError, RefusedError
from pointsman.model.events import Emit, FellBackToLegacy, LegacyAnswered
from pointsman.model.message import Envelope, Message
from pointsman.model.outcome import Accepted, Receipt, Refused, Reply
from pointsman.model.result import Result
from pointsman.model.rollout import Lane, State
from pointsman.model.states import Status
from pointsman.ports import Clock
from pointsman.runtime.replies import Replies
from pointsman.runtime.rollout.conductor import Rollout
from pointsman.runtime.shadow import Shadow

LEGACY: Final = "legacy"
"""Worker of a result that the old router gave."""

_PART_BYTES: Final = 64
"""What any value takes beside its text, roughly."""


@dataclass(slots=True, frozen=True)
class LegacyAnswer:
    """What an old router may return instead of a bare reply, so that the two can be compared.

    Attributes:
        reply: a text, any JSON value, or a `Reply`.
        message_class: the class it chose, by a name or an alias of the settings; None where it has none.
        worker: the id of the worker it chose, as in the settings; None where it has none.
    """

    reply: Any
    message_class: str | None = None
    worker: str | None = None


Legacy = Callable[[Message], Awaitable[Any]]
"""The old router: takes a message, returns a text, a JSON value, a `Reply` or a `LegacyAnswer`."""


class Beside:
    """The two routers side by side.

    Args:
        legacy: the old one.
        rollout: who answers.
        shadow: looks on.
        replies: keeps what the old one answered to messages that nobody waits for.
        clock: time.
        emit: takes events.
    """

    def __init__(
        self, legacy: Legacy, rollout: Rollout, shadow: Shadow, replies: Replies, clock: Clock, emit: Emit
    ) -> None:
        self._legacy = legacy
        self._rollout = rollout
        self._shadow = shadow
        self._replies = replies
        self._clock = clock
        self._emit = emit

    async def send(
        self, envelope: Envelope, ours: Callable[[Envelope], Awaitable[Result | Refused]]
    ) -> Result | Refused:
        """Let one of the two answer a message; `ours` is this router's way."""
        lane, may_fall_back = self._assign(envelope)
        if lane is not Lane.CANDIDATE:
            return _result(envelope, await self._in_lane(envelope, lane))
        end = await ours(envelope)
        reason = after_refusal(end) if isinstance(end, Refused) else after_end(end.status, envelope)
        if not reason or not may_fall_back:
            return end
        return _result(envelope, await self._instead(envelope, reason))

    async def submit(self, envelope: Envelope, ours: Callable[[Envelope], Awaitable[Receipt]]) -> Receipt:
        """Hand a message to one of the two; what the old one returns is kept for `result`."""
        lane, may_fall_back = self._assign(envelope)
        if lane is not Lane.CANDIDATE:
            return self._keep(envelope, await self._in_lane(envelope, lane))
        receipt = await ours(envelope)
        reason = after_refusal(receipt) if isinstance(receipt, Refused) else ""
        if not reason or not may_fall_back:
            return receipt
        return self._keep(envelope, await self._instead(envelope, reason))

    async def stream(
        self, envelope: Envelope, ours: Callable[[Envelope], AsyncGenerator[str, None]]
    ) -> AsyncGenerator[str, None]:
        """Give out the text of an answer as it comes; the old router's in one piece."""
        lane, may_fall_back = self._assign(envelope)
        if lane is not Lane.CANDIDATE:
            yield _result(envelope, await self._in_lane(envelope, lane)).text
            return
        pieces = ours(envelope)
        try:
            async for piece in pieces:
                yield piece
            return
        except (RefusedError, DeliveryError) as error:
            reason = (
                after_refusal(error.refused) if isinstance(error, RefusedError) else after_end(error.status, envelope)
            )
            if not reason or not may_fall_back:
                raise
        finally:
            await pieces.aclose()
        yield _result(envelope, await self._instead(envelope, reason)).text

    def _assign(self, envelope: Envelope) -> tuple[Lane, bool]:
        """Return the lane of a message, and whether the old router may step in."""
        conversation = envelope.message.conversation_id
        key = conversation if isinstance(conversation, str) and conversation else envelope.client
        lane = self._rollout.assign(key, client=envelope.client, path="").lane
        under_way = self._rollout.course.position.state is not State.COMPLETED
        if lane is Lane.CANDIDATE and under_way:
            envelope.lane = Lane.CANDIDATE.value
        return lane, under_way

    async def _in_lane(self, envelope: Envelope, lane: Lane) -> LegacyAnswer:
        """Ask the old router whose turn it is, and let the shadow know what it said."""
        heard: Heard | None = Heard(ok=False)
        began = self._clock.monotonic()
        try:
            answer = await self._ask(envelope.message)
            heard = Heard(True, _name(answer.message_class), _name(answer.worker))
            return answer
        except asyncio.CancelledError:
            # Whoever asked has gone, which says nothing about the old router.
            heard = None
            raise
        finally:
            if heard is not None:
                now = self._clock.monotonic()
                self._emit(LegacyAnswered(now, envelope.client, now - began, heard.ok))
                if lane is Lane.BOTH:
                    self._shadow.offer(lambda: envelope, heard, size_of(envelope.message, self._shadow.max_bytes))

    async def _instead(self, envelope: Envelope, reason: str) -> LegacyAnswer:
        self._emit(FellBackToLegacy(self._clock.monotonic(), envelope.client, reason))
        return await self._ask(envelope.message)

    async def _ask(self, message: Message) -> LegacyAnswer:
        answer: Any = self._legacy(message)
        if inspect.isawaitable(answer):
            answer = await answer
        return answer if isinstance(answer, LegacyAnswer) else LegacyAnswer(answer)

    def _keep(self, envelope: Envelope, answer: LegacyAnswer) -> Receipt:
        self._replies.open(envelope.id)
        self._replies.leave(envelope.id)
        self._replies.resolve(_result(envelope, answer))
        return Accepted(envelope.id)


def _name(given: object) -> str | None:
    return given if isinstance(given, str) else None


def _result(envelope: Envelope, answer: LegacyAnswer) -> Result:
    reply = answer.reply
    if isinstance(reply, str):
        reply = {"text": reply}
    return Result(
        id=envelope.id,
        status=Status.DELIVERED,
        reply=reply if isinstance(reply, Reply) else Reply(value=reply),
        message_class=_name(answer.message_class) or "",
        worker=LEGACY,
    )


def size_of(message: Message, most: int) -> int:
    """Return roughly how many bytes a message holds, whatever its fields hold; it need not be one that we would take.

    The count ends above `most`, as a value may contain itself.
    """
    size = 0
    left: list[Any] = [message.text, message.messages, message.metadata, message.params]
    while left and size <= most:
        value = left.pop()
        size += _PART_BYTES
        if type(value) in (str, bytes):
            size += len(value)
        elif type(value) in (dict, list, tuple):
            if len(value) * _PART_BYTES > most:
                return most + 1
            left.extend(value)
            if type(value) is dict:
                left.extend(value.values())
    return size
