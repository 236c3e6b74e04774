"""What a sender writes (`Message`) and what we add to it (`Envelope`).

The fields of `Message` are the wire format of `POST /api/v1/messages`, named and bounded in the product page; they are
checked by `core.validate`, not here, so that a message built in process meets the same rules as one that came by HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from pointsman.model.decision import Classification
    from pointsman.model.outcome import AttemptRecord
    from pointsman.model.usage import Estimate, Usage

PRIORITIES: Final = ("critical", "high", "normal", "low", "bulk")
"""Names of the five levels; the position in the tuple is the level, 0 is served first."""

LEVELS: Final = {name: level for level, name in enumerate(PRIORITIES)}
"""Level (0..4) by priority name."""

REDELIVER: Final = ("always", "unsent", "never")
"""What may be done twice: anything, only what no worker has seen, nothing."""

ON_DISCONNECT: Final = ("cancel", "continue")
"""What becomes of a message whose sender's connection goes."""

LOCAL_CLIENT: Final = "local"
"""Client of a message whose sender gave no name: in process, or on loopback without a key."""


class Message(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, rename={"class_": "class"}):
    """One message as its sender wrote it. Only `text`, or `messages`, is required.

    Attributes:
        text: what is asked, at most 256 KiB of UTF-8.
        messages: a chat list instead of `text`: objects with `role` and `content` (a string, or a list of parts).
        class_: `class` on the wire: a class or alias that the sender insists on; None lets the classifier decide.
        priority: one of `PRIORITIES`; None means `normal`.
        ttl_s: latest hand-out, seconds after acceptance, 0.001 to 2,592,000; None means the default of its durability.
        timeout_s: longest attempt in seconds; None means the default of the pool.
        conversation_id: keeps messages of one conversation in one class; at most 256 characters.
        wait: the sender waits for the reply on its connection.
        wait_s: how long it waits before it is answered with the id alone, seconds, up to 600.
        stream: the sender wants the reply as it comes.
        on_disconnect: `cancel` or `continue` when the sender's connection goes; None means `cancel`, and `continue`
            where the message is stored.
        durable: store the message before it is accepted.
        strict: never hand it to another pool than its class's own.
        redeliver: one of `REDELIVER`; None means the default of the pool.
        not_before: RFC 3339 instant before which it must not be handed out.
        delay_s: the same as a delay, seconds.
        callback_url: where the result of a stored message is posted.
        metadata: the sender's own data, passed to the worker untouched; at most 64 keys, 64 KiB, depth 32.
        params: parameters for the worker, such as `temperature`; same bounds.
    """

    text: str | None = None
    messages: list[dict[str, Any]] | None = None
    class_: str | None = None
    priority: str | None = None
    ttl_s: float | None = None
    timeout_s: float | None = None
    conversation_id: str | None = None
    wait: bool = True
    wait_s: float | None = None
    stream: bool = False
    on_disconnect: str | None = None
    durable: bool = False
    strict: bool = False
    redeliver: str | None = None
    not_before: str | None = None
    delay_s: float | None = None
    callback_url: str | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    params: dict[str, Any] = msgspec.field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Envelope:
    """A message plus what we added. One object from admission to its end; only the router writes to it.

    Attributes:
        id: 32 lower-case hexadecimal digits, sortable by time of creation.
        message: what the sender wrote; never changed.
        client: whose limits, fairness and accounting it falls under.
        received_at: monotonic seconds at which it reached us.
        received_wall: the same instant in Unix seconds, for people and records only.
        protocol: the sender's language: `native`, `openai` or `anthropic`.
        body: the sender's own bytes where they must reach the worker unchanged but for `model`; else None.
        endpoint: path and query that such a body goes to, below the base URL that clients are given:
            `/chat/completions`, `/messages?beta=true`; empty for native messages.
        headers: the sender's own headers that go with such a body; names in lower case.
        credential: the header with the sender's own key, for workers whose `auth` is "passthrough"; else None.
        model: the worker model that the sender insists on, or empty: any worker of the pool will do.
        serial_key: messages of one queue that share it are handed out one at a time; empty where that is no matter.
        key_id: id of the API key it came with, or empty.
        group: client group of that key, or empty.
        max_output_tokens: most output tokens that such a body asks for, or 0; of a native message `params` say it.
        lane: `candidate` while a rollout is under way and this router answers; else empty.
        by_sender: the sender waits to the end, so its own task may carry the delivery.
        worker: id of the worker that has it, or had it last; empty before.
        handed_at: monotonic seconds at which that worker was given it.
        fell_back: that worker is of another pool than the message's own.
        idempotency_key: the sender's `Idempotency-Key`, if any.
        trace_id: W3C trace id, 32 hexadecimal digits, or empty.
        ask: the text that limits, floods and classification look at; filled by `Validate`.
        level: 0..4, see `PRIORITIES`; filled by `Validate`.
        ttl_s: seconds; filled by `Validate`.
        expires_at: monotonic seconds after which it is never handed out; filled by `Validate`.
        timeout_s: seconds an attempt may last, or None for the pool's default; filled by `Validate`.
        stored: its end must survive the sender; filled by `Validate`.
        classification: filled by `Classify`.
        pool: the queue it waits in; filled by `Classify`.
        redeliver: filled by `Classify` from the message or the pool.
        max_attempts: 1..; filled by `Classify` from the pool.
        attempt: hand-outs so far; the number of the current one while it is out.
        tries: hand-outs that count against `max_attempts` (a busy worker's refusal does not).
        unsent: hand-outs that certainly reached no worker; with fewer than `attempt` one may have seen it.
        trail: what came of each hand-out, oldest first.
        size_bytes: what it costs to hold, roughly; 0 means "as long as `ask`".
        replay_of: id of the dead letter it repeats, or None.
        classify_s: seconds the classifier took.
        admission_s: seconds from receipt to acceptance.
        waited: no worker was free for it when it was queued, so its wait is not the router's doing.
        estimate: what it is expected to take; filled by `Budget` where there are prices or budgets.
        usage: tokens of all its attempts so far; filled by `MeasureDelivery`.
        cost: what these cost; None where nothing has a price.
    """

    id: str
    message: Message
    client: str
    received_at: float
    received_wall: float
    protocol: str = "native"
    body: bytes | None = None
    endpoint: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    credential: tuple[str, str] | None = field(default=None, repr=False)
    model: str = ""
    serial_key: str = ""
    key_id: str = ""
    group: str = ""
    max_output_tokens: int = 0
    lane: str = ""
    by_sender: bool = False
    worker: str = ""
    handed_at: float = 0.0
    fell_back: bool = False
    idempotency_key: str | None = None
    trace_id: str = ""
    ask: str = ""
    level: int = 2
    ttl_s: float = 0.0
    expires_at: float = 0.0
    timeout_s: float | None = None
    stored: bool = False
    classification: Classification | None = None
    pool: str = ""
    redeliver: str = "always"
    max_attempts: int = 3
    attempt: int = 0
    tries: int = 0
    unsent: int = 0
    trail: list[AttemptRecord] = field(default_factory=list)
    size_bytes: int = 0
    replay_of: str | None = None
    classify_s: float = 0.0
    admission_s: float = 0.0
    waited: bool = False
    estimate: Estimate | None = None
    usage: Usage | None = None
    cost: float | None = None
