"""The codes of a message, those of `model.outcome`: why it was not accepted, how it ended, why an attempt failed."""

from __future__ import annotations

from typing import Final

from pointsman.http.code import Code

REFUSALS: Final = (
    Code(
        "invalid",
        400,
        "The request is malformed",
        "A body, header, query or path that cannot be understood, or a value out of its range.",
        False,
        "Read `detail` (and `field`): it says where, what was got and what is expected.",
    ),
    Code(
        "too_large",
        413,
        "Too large",
        "The body or a text in it is larger than the settings allow.",
        False,
        "Send less, or raise `server.native_body_bytes`, `server.compatible_body_bytes` or"
        " `validation.max_text_bytes`.",
    ),
    Code(
        "harmful",
        422,
        "The message is structurally hostile",
        "The text holds characters that are there to mislead people or programs.",
        False,
        "Remove what `detail` names.",
    ),
    Code(
        "unknown_class",
        422,
        "No such class",
        "The message insists on a class that the settings do not have.",
        False,
        "Use one of the names in `detail`, or leave `class` out and let the router decide.",
    ),
    Code(
        "wrong_protocol",
        422,
        "No worker speaks this protocol",
        "The class's pool has workers, but none that speaks the sender's protocol; nothing is translated.",
        False,
        "Send to the API whose protocol the pool's workers speak, name another class, or add such a worker.",
    ),
    Code(
        "not_stored",
        422,
        "Nothing can be stored here",
        "The message must outlive its sender, but this engine keeps messages in memory only.",
        False,
        "Wait for the reply (`wait` true, no `durable`, no `Idempotency-Key`), or use a durable engine.",
    ),
    Code(
        "unauthorized",
        401,
        "Who are you?",
        "There is no valid API key.",
        False,
        "Send `Authorization: Bearer KEY` or `x-api-key: KEY`; `pointsman keys create NAME` makes one.",
    ),
    Code(
        "forbidden",
        403,
        "Not allowed",
        "The request is understood and refused for safety.",
        False,
        "`detail` says why, and where the same may be set instead (mostly: the settings file).",
    ),
    Code(
        "rate_limited",
        429,
        "Too many messages",
        "The client, or all clients together, send faster than `limits` allows.",
        True,
        "Wait for `retry_after_s`; raise `limits.rate_per_min` or `limits.burst` if the limit is wrong.",
    ),
    Code(
        "flooding",
        429,
        "The same message too often",
        "The client sent identical messages faster than `limits.flood_copies` allows.",
        True,
        "Other messages are taken at once; a copy is taken again after `retry_after_s`.",
    ),
    Code(
        "budget_exceeded",
        429,
        "The budget is used up",
        "A budget of `budgets` cannot pay what the message is expected to take, besides what is spent and in flight.",
        True,
        "`detail` names the budget, its figures and when it begins anew; `pointsman budgets ls` shows all. Ask for less"
        " output, or raise the budget.",
    ),
    Code(
        "overloaded",
        503,
        "Too busy",
        "The message would wait longer than its sender has time for, or there are too many connections.",
        True,
        "Wait for `retry_after_s`, send with a higher priority or a longer `ttl_s`, or add workers.",
    ),
    Code(
        "no_worker",
        503,
        "No worker",
        "No worker is there for the class of the message; in a record: none was free any more.",
        True,
        "Add a worker to the pool in `detail`, or bring it back: `pointsman workers`.",
    ),
    Code(
        "queue_full",
        507,
        "The queue is full",
        "As many messages wait as `engine.max_queued` and `engine.max_queued_bytes` allow.",
        True,
        "Wait for `retry_after_s`; add workers, or raise the bound.",
    ),
    Code("draining", 503, "Shutting down", "This router takes nothing new.", True, "Send to another router, or again."),
    Code(
        "unavailable",
        503,
        "Not available",
        "The engine cannot take messages now, or an internal fault was logged.",
        True,
        "Wait for `retry_after_s`. If it stays: read the log of the router under the id in `detail`.",
    ),
)
"""`model.outcome.Refusal`, in its order."""

ENDS: Final = (
    Code(
        "message_fault",
        502,
        "The worker refused the message",
        "A worker says that the message itself is wrong (HTTP: the"
        " status is the worker's own 4xx where it had one). Never tried again.",
        False,
        "Read `detail` and `reply`; correct the message.",
    ),
    Code(
        "attempts_used_up",
        502,
        "Every attempt failed",
        "Workers failed as often as `retry.max_attempts` allows.",
        False,
        "See `GET /api/v1/messages/{id}/decision` for each attempt; once the workers are well,"
        " `pointsman dlq replay ID`.",
    ),
    Code(
        "outcome_unknown",
        502,
        "The outcome is unknown",
        "A worker may have acted on the message, and `redeliver` forbids doing it twice.",
        False,
        "Find out what the worker did before you replay it.",
    ),
    Code(
        "not_redeliverable",
        502,
        "Must not be sent again",
        "An attempt failed, and `redeliver` forbids another.",
        False,
        "Replay it by hand if it is safe, or send such messages with `redeliver` = `always`.",
    ),
    Code(
        "ttl",
        504,
        "It waited too long",
        "The time to live ended before a worker was free.",
        True,
        "Send it again, with a longer `ttl_s` or a higher priority; add workers.",
    ),
    Code("sender", 499, "Cancelled", "Its sender, or an operator, cancelled it.", False, "Nothing."),
    Code("purged", 499, "Purged", "An operator emptied the queue it waited in.", False, "Ask the operator."),
    Code(
        "shutdown",
        499,
        "Cancelled by a shutdown",
        "The router shut down before the message had ended.",
        True,
        "Send it again.",
    ),
    Code(
        "stranded",
        499,
        "Left to the old router",
        "No worker could be called for it for 5 s while a rollout is under way; the old router answered.",
        True,
        "See `pointsman workers ls`; the guard counts it against the candidate.",
    ),
)
"""`model.outcome.Cause`, in its order."""

FAILURES: Final = (
    Code(
        "worker_error",
        0,
        "The worker failed",
        "It answered with a fault of its own (HTTP 5xx).",
        True,
        "Read the worker's log.",
    ),
    Code(
        "worker_unreachable",
        0,
        "The worker cannot be reached",
        "No connection came about; it has not seen the message.",
        True,
        "Check its address and whether it runs.",
    ),
    Code(
        "worker_closed",
        0,
        "The worker hung up",
        "The connection ended in the middle; it may have acted.",
        True,
        "Read the worker's log.",
    ),
    Code(
        "worker_timeout",
        0,
        "The worker took too long",
        "No answer within `timeout_s`; it may have acted.",
        True,
        "Raise `pools.*.timeout_s` if the work is longer than that.",
    ),
    Code(
        "worker_garbage",
        502,
        "The worker answered garbage",
        "What came back is no answer of the worker's protocol.",
        True,
        "Check the worker against the reference of its transport.",
    ),
    Code(
        "worker_busy",
        0,
        "The worker is busy",
        "It asked to be left alone (HTTP 429, 503); does not count as an attempt.",
        True,
        "Lower its `max_in_flight`, or add workers.",
    ),
    Code("worker_left", 0, "The worker left", "It left its pool before it was given the message.", True, "Nothing."),
    Code(
        "breaker_open",
        0,
        "The breaker is open",
        "The worker failed too often and is being left alone.",
        True,
        "See `pointsman workers`; the breaker tries the worker again by itself.",
    ),
    Code(
        "router_error",
        0,
        "An internal fault",
        "A bug in Pointsman, logged under the id of the message.",
        True,
        "Please report it, with the log.",
    ),
)
"""`model.outcome.Failure`, but for those that also stand elsewhere: `no_worker`, `message_fault`, `lease_lost`."""
