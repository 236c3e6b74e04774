"""What admission answers (`Receipt`), what an attempt comes to (`Outcome`), and what then becomes of the message
(`Settlement`). Values, not exceptions: the type checker makes callers handle each.

The two `Reason` enums are closed and are API: each member has a row in the generated reference of errors.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from pointsman.model.usage import Usage


class Refusal(StrEnum):
    """Why a message was not accepted."""

    INVALID = "invalid"
    TOO_LARGE = "too_large"
    HARMFUL = "harmful"
    UNKNOWN_CLASS = "unknown_class"
    NOT_STORED = "not_stored"
    WRONG_PROTOCOL = "wrong_protocol"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    FLOODING = "flooding"
    BUDGET_EXCEEDED = "budget_exceeded"
    OVERLOADED = "overloaded"
    NO_WORKER = "no_worker"
    QUEUE_FULL = "queue_full"
    DRAINING = "draining"
    UNAVAILABLE = "unavailable"


RETRYABLE_REFUSALS = frozenset(
    {
        Refusal.RATE_LIMITED,
        Refusal.FLOODING,
        Refusal.BUDGET_EXCEEDED,
        Refusal.OVERLOADED,
        Refusal.NO_WORKER,
        Refusal.QUEUE_FULL,
        Refusal.DRAINING,
        Refusal.UNAVAILABLE,
    }
)
"""Refusals after which the same message may be sent again, later."""


class Failure(StrEnum):
    """Why an attempt did not deliver."""

    MESSAGE_FAULT = "message_fault"
    WORKER_ERROR = "worker_error"
    WORKER_UNREACHABLE = "worker_unreachable"
    WORKER_CLOSED = "worker_closed"
    WORKER_TIMEOUT = "worker_timeout"
    WORKER_GARBAGE = "worker_garbage"
    WORKER_BUSY = "worker_busy"
    WORKER_LEFT = "worker_left"
    BREAKER_OPEN = "breaker_open"
    NO_WORKER = "no_worker"
    LEASE_LOST = "lease_lost"
    ROUTER_ERROR = "router_error"


class Cause(StrEnum):
    """Why a message ended otherwise than delivered; the reason on a dead letter."""

    MESSAGE_FAULT = "message_fault"
    ATTEMPTS_USED_UP = "attempts_used_up"
    OUTCOME_UNKNOWN = "outcome_unknown"
    NOT_REDELIVERABLE = "not_redeliverable"
    TTL = "ttl"
    SENDER = "sender"
    PURGED = "purged"
    SHUTDOWN = "shutdown"
    STRANDED = "stranded"


class Accepted(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The message is ours now.

    Attributes:
        id: its id, or that of the message it repeats.
        duplicate: the idempotency key named a message we had already.
    """

    id: str
    duplicate: bool = False


class Refused(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The message is not ours; nothing of it is kept.

    Attributes:
        reason: machine-readable and stable.
        detail: what was wrong, what was expected, what to do.
        retry_after_s: seconds to wait before trying again, or None.
        field: the field at fault, or an empty string.
        message_class: class it had been given, or an empty string if it came no further than that.
    """

    reason: Refusal
    detail: str
    retry_after_s: float | None = None
    field: str = ""
    message_class: str = ""

    @property
    def retryable(self) -> bool:
        """Whether the same message may be accepted later."""
        return self.reason in RETRYABLE_REFUSALS


Receipt = Accepted | Refused


class Delivered(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The worker answered and the last byte of the answer has been written to the sink.

    Attributes:
        worker: id of the worker.
    """

    worker: str


class Failed(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The attempt did not deliver.

    Attributes:
        reason: machine-readable and stable.
        detail: readable, with the worker's own words cut to a bounded length.
        worker: id of the worker, or an empty string where none was reached.
        retry_after_s: the worker's own wish, seconds, or None.
        sent: the worker may have begun to act on the message.
        started: the sender has already seen a part of this answer, so no other may follow it.
        status: the worker's HTTP status where there was one, else 0.
    """

    reason: Failure
    detail: str
    worker: str = ""
    retry_after_s: float | None = None
    sent: bool = False
    started: bool = False
    status: int = 0


class Expired(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The message's time to live ended before a worker could be given it."""


Outcome = Delivered | Failed | Expired


class Ack(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Settle as `delivered`."""


class RetryIn(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Settle as `delayed`: hand it out again after `delay_s` seconds (0 = at once)."""

    delay_s: float


class Fail(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Settle as `failed`: the message itself is wrong; it is never retried."""

    detail: str


class Dead(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Settle as `dead`, with the cause that goes on the dead letter."""

    cause: Cause
    detail: str


class Expire(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Settle as `expired`."""


Settlement = Ack | RetryIn | Fail | Dead | Expire


class AttemptRecord(msgspec.Struct, frozen=True, gc=False):
    """What came of one hand-out; part of the decision record and of a dead letter's history.

    Attributes:
        number: 1.. and rising with each hand-out.
        pool: the pool whose worker it was given to (another than the message's own after a fallback).
        worker: id of the worker, or an empty string.
        result: `delivered`, `expired`, `cancelled` or a `Failure` value.
        queued_s: seconds from acceptance to this hand-out.
        took_s: seconds from hand-out to result.
        worker_s: seconds of that spent in the worker.
        detail: readable, bounded.
        first_token_s: seconds from hand-out to the first byte of a streamed answer, or None.
        usage: tokens it took, where known or estimated.
        cost: what they cost, in the currency of the settings; None where there is no price.
        parked_s: seconds of `took_s` for which it waited for a particular worker, or a kind of workers.
        preferred: id of the worker that its conversation preferred, or an empty string.
    """

    number: int
    pool: str
    worker: str
    result: str
    queued_s: float
    took_s: float
    worker_s: float = 0.0
    detail: str = ""
    first_token_s: float | None = None
    usage: Usage | None = None
    cost: float | None = None
    parked_s: float = 0.0
    preferred: str = ""


class Reply(msgspec.Struct, frozen=True):
    """A worker's answer.

    Attributes:
        value: what a native worker answered: a dict such as `{"text": "..."}`; any JSON value passes through.
        body: the worker's own bytes, where they pass through unchanged (compatible protocols); else None.
        status: the worker's HTTP status, 200 where there was none.
        headers: the worker's own headers that pass through.
    """

    value: Any = None
    body: bytes | None = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """The answer as text: its `text` where it has one, else the value itself as a string."""
        if isinstance(self.value, dict) and isinstance(self.value.get("text"), str):
            return str(self.value["text"])
        if self.value is None and self.body is not None:
            return self.body.decode("utf-8", "replace")
        return "" if self.value is None else str(self.value)
