"""The shapes of the native API's answers. Only shapes: the description (`openapi`) is made of them.

Instants are Unix seconds, durations end in `_s` or `_ms`. A message's text stands in a dead letter and
nowhere else.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pointsman.core.keys import KeyCounts
from pointsman.http import problems, wire
from pointsman.http.exchange import Response
from pointsman.http.problems import Problem
from pointsman.model.feedback import ClassifierStatus
from pointsman.model.message import PRIORITIES, Envelope
from pointsman.model.outcome import AttemptRecord, Reply
from pointsman.model.result import Result
from pointsman.model.usage import Usage
from pointsman.model.views import Counts, DeadLetter, MessageView, QueueView
from pointsman.runtime.fleet import PoolView, WorkerView


class DecisionBrief(msgspec.Struct, frozen=True, rename={"message_class": "class"}):
    """Why a message went where it went, in short; the whole record is at `/api/v1/messages/{id}/decision`."""

    message_class: str
    confidence: float
    cause: str
    pool: str
    worker: str | None
    fallback: bool
    attempts: int
    overhead_ms: float


class MessageDelivered(msgspec.Struct, frozen=True, omit_defaults=True):
    """A worker's reply to a message whose sender waited for it; tokens and money where they are known."""

    id: str
    status: str
    reply: msgspec.Raw
    decision: DecisionBrief
    usage: Usage | None = None
    cost: float | None = None


class MessageAccepted(msgspec.Struct, frozen=True):
    """A message that was accepted and has not ended yet; `Location` says where to ask."""

    id: str
    status: str


class MessageState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"message_class": "class"}):
    """What is known of a message. `reply` is there where its sender had stopped waiting for it."""

    id: str
    status: str
    message_class: str
    pool: str
    attempts: int
    worker: str | None = None
    fallback: bool = False
    client: str | None = None
    priority: str | None = None
    conversation_id: str | None = None
    created: float | None = None
    ended: float | None = None
    cause: str | None = None
    detail: str = ""
    reply: Any = None
    usage: Usage | None = None
    cost: float | None = None


class MessageList(msgspec.Struct, frozen=True):
    """Messages, those that have not ended first, each group the newest first."""

    messages: list[MessageView]


class WorkerList(msgspec.Struct, frozen=True):
    """Every worker of every pool, or of one."""

    workers: list[WorkerView]


class PoolList(msgspec.Struct, frozen=True):
    """Every pool."""

    pools: list[PoolView]


class QueueState(msgspec.Struct, frozen=True):
    """One queue: messages that are ready by priority, delayed and in flight; age of the oldest in seconds."""

    name: str
    queued: dict[str, int]
    delayed: int
    in_flight: int
    oldest_s: float
    paused: bool


class QueueList(msgspec.Struct, frozen=True):
    """Every queue."""

    queues: list[QueueState]


class Purged(msgspec.Struct, frozen=True):
    """How many messages were cancelled."""

    purged: int


class DeadLetterBrief(msgspec.Struct, frozen=True, rename={"message_class": "class"}):
    """A dead letter without its text."""

    id: str
    status: str
    cause: str
    detail: str
    client: str
    message_class: str
    pool: str
    priority: str
    attempts: int
    created: float
    ended: float


class DeadLetterWhole(DeadLetterBrief, frozen=True, rename={"message_class": "class"}):
    """A dead letter with its text, which is needed to judge it, and what came of each attempt."""

    text: str | None
    messages: list[dict[str, Any]] | None
    metadata: dict[str, Any]
    params: dict[str, Any]
    conversation_id: str | None
    replay_of: str | None
    trail: list[AttemptRecord]


class DeadLetterList(msgspec.Struct, frozen=True):
    """Dead letters, the newest first."""

    dead_letters: list[DeadLetterBrief]


class Replayed(msgspec.Struct, frozen=True):
    """The new message that a dead letter became."""

    id: str
    status: str
    replay_of: str


class Gone(msgspec.Struct, frozen=True):
    """What was cancelled, removed or sent away."""

    id: str
    status: str


class SpendingBrief(msgspec.Struct, frozen=True):
    """What was spent today (UTC), and saved against sending everything to the dearest class; None without a price."""

    currency: str
    money: float | None
    savings: float | None
    tokens: int
    cached_input_share: float | None


class RolloutBrief(msgspec.Struct, frozen=True):
    """How the rollout stands, in short; the whole of it is at `/api/v1/rollout`."""

    state: str
    stage: str
    share: float
    realised_share: float | None
    since: float | None
    locked: bool
    killed: str
    alarm: str


class StatusReport(msgspec.Struct, frozen=True):
    """The router at a glance.

    Of `counts`, `admitted` is the sum of all others: no message is ever lost from the account. `rollout` is null where
    the settings name no router to roll out beside.
    """

    version: str
    uptime_s: float
    ready: bool
    counts: Counts
    pools: list[PoolView]
    workers: dict[str, int]
    queues: list[QueueState]
    keys: KeyCounts
    spending: SpendingBrief
    rollout: RolloutBrief | None
    classifier: ClassifierStatus


class Health(msgspec.Struct, frozen=True):
    """Whether the process lives, or is ready."""

    status: str


def brief(result: Result, envelope: Envelope) -> DecisionBrief:
    """Return the short decision of a message that was delivered."""
    classification = envelope.classification
    return DecisionBrief(
        message_class=result.message_class,
        confidence=classification.confidence if classification else 0.0,
        cause=classification.cause if classification else "",
        pool=result.pool,
        worker=result.worker or None,
        fallback=result.fallback,
        attempts=result.attempts,
        overhead_ms=round(result.overhead_s * 1000.0, 3),
    )


def ended(result: Result, envelope: Envelope) -> Response | Problem:
    """Return the answer to the sender of a message that has ended."""
    if not result.delivered:
        problem = problems.of_end(result, envelope)
        if result.reply is not None:
            problem.more["reply"] = reply_json(result.reply)
        return problem
    reply, decision = reply_json(result.reply), brief(result, envelope)
    delivered = MessageDelivered(result.id, "delivered", reply, decision, result.usage, result.cost)
    return Response(200, wire.encode(delivered))


def reply_json(reply: Reply | None) -> msgspec.Raw:
    """Return a reply as a JSON value: bytes of another protocol as they are where they are JSON, else as text.

    Raises:
        RequestError: `worker_garbage`: it cannot be written as JSON.
    """
    if reply is None:
        return msgspec.Raw(b"null")
    if reply.body is None:
        return wire.encode_reply(reply.value)
    try:
        return wire.encode_reply(msgspec.json.decode(reply.body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return wire.encode_reply(reply.text)


def message_state(result: Result, view: MessageView | None) -> MessageState:
    """Return what is known of a message; the engine may have forgotten it while its reply is still kept."""
    return MessageState(
        id=result.id,
        status=result.status.value,
        message_class=result.message_class,
        pool=result.pool,
        attempts=result.attempts,
        worker=result.worker or None,
        fallback=result.fallback,
        client=view.client if view else None,
        priority=view.priority if view else None,
        conversation_id=view.conversation_id if view else None,
        created=view.created if view else None,
        ended=view.ended if view else None,
        cause=result.cause.value if result.cause else view.cause if view else None,
        detail=result.detail,
        reply=None if result.reply is None else reply_json(result.reply),
        usage=result.usage,
        cost=result.cost,
    )


def queue_state(view: QueueView) -> QueueState:
    """Return a queue as the API shows it."""
    queued = dict(zip(PRIORITIES, view.queued, strict=True))
    return QueueState(view.name, queued, view.delayed, view.in_flight, view.oldest_s, view.paused)


def dead_letter_brief(letter: DeadLetter) -> DeadLetterBrief:
    """Return a dead letter without its text."""
    return DeadLetterBrief(**_brief(letter))


def dead_letter_whole(letter: DeadLetter) -> DeadLetterWhole:
    """Return a dead letter with its text."""
    envelope, message = letter.envelope, letter.envelope.message
    return DeadLetterWhole(
        **_brief(letter),
        text=message.text,
        messages=message.messages,
        metadata=message.metadata,
        params=message.params,
        conversation_id=message.conversation_id,
        replay_of=envelope.replay_of,
        trail=envelope.trail,
    )


def _brief(letter: DeadLetter) -> dict[str, Any]:
    envelope = letter.envelope
    classification = envelope.classification
    return {
        "id": envelope.id,
        "status": letter.status.value,
        "cause": letter.cause.value,
        "detail": letter.detail,
        "client": envelope.client,
        "message_class": classification.message_class if classification else "",
        "pool": envelope.pool,
        "priority": PRIORITIES[envelope.level],
        "attempts": envelope.attempt,
        "created": envelope.received_wall,
        "ended": letter.ended,
    }
