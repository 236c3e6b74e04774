"""Every code that Pointsman answers with, in one table: its HTTP status, what it means, and what to do about it.

The codes of refusals, causes and failures are those of `model.outcome`, the rest belong to HTTP itself or to faults.
`docs/reference/errors.md` is generated from this table (`problems.reference`) and `pointsman errors` prints it. How a
code becomes an answer is decided in `problems`.
"""

from __future__ import annotations

from typing import Final

import msgspec


class Code(msgspec.Struct, frozen=True, gc=False):
    """One row.

    Attributes:
        code: stable; what programs compare.
        status: HTTP status of the answer; 0 for codes that stand only in decision records, dead letters and on the screen.
        title: the same for every occurrence.
        meaning: what happened.
        retryable: the same request may succeed later, and sending it again does no harm.
        advice: what to do.
    """

    code: str
    status: int
    title: str
    meaning: str
    retryable: bool
    advice: str


_REFUSALS: Final = (
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
        "Send less, or raise `server.native_body_bytes`, `server.compatible_body_bytes` or `validation.max_text_bytes`.",
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
        "unsupported",
        422,
        "Not supported",
        "What was asked for is understood, but this version cannot do it.",
        False,
        "Leave out what `detail` names.",
    ),
    Code(
        "not_stored",
        422,
        "Nothing can be stored here",
        "The message must outlive its sender, but this engine keeps messages in memory only.",
        False,
        "Wait for the reply (`wait` true, no `durable`, no `Idempotency-Key`), or use a durable engine.",
    ),
    Code("unauthorized", 401, "Who are you?", "There is no valid API key.", False, "Send `Authorization: Bearer KEY`."),
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

_REQUESTS: Final = (
    Code(
        "not_found",
        404,
        "Not found",
        "There is no such path, message, worker, pool or queue; or it ended too long ago to be remembered.",
        False,
        "Check the name; `/openapi.json` lists the paths.",
    ),
    Code(
        "method_not_allowed",
        405,
        "Method not allowed",
        "The path exists, but not with this method.",
        False,
        "Use a method that the `Allow` header names.",
    ),
    Code(
        "receive_timeout",
        408,
        "The request came too slowly",
        "Headers or body did not arrive in time.",
        True,
        "Send it again, in one go.",
    ),
    Code(
        "conflict",
        409,
        "Conflict",
        "What was asked contradicts the state things are in.",
        False,
        "Look at the state first: `detail` names it.",
    ),
    Code(
        "unsupported_media_type",
        415,
        "Unsupported media type",
        "The body is not declared as JSON, or it is compressed.",
        False,
        "Send `Content-Type: application/json` and no `Content-Encoding`.",
    ),
    Code(
        "head_too_large",
        431,
        "Headers too large",
        "The request line and headers are larger than 64 KiB, or more than 100.",
        False,
        "Send fewer and shorter headers.",
    ),
    Code(
        "model_not_found",
        404,
        "No such model",
        "On the OpenAI-compatible API: `model` is neither `auto` nor a class, an alias or a pool.",
        False,
        "Use a name that `GET /v1/models` lists.",
    ),
)

_ENDS: Final = (
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
        "See `GET /api/v1/messages/{id}/decision` for each attempt; once the workers are well, `pointsman dlq replay ID`.",
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
)

_FAILURES: Final = (
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

_FAULTS: Final = (
    Code("usage", 400, "Wrong use", "What was asked cannot work.", False, "Read `detail`."),
    Code(
        "illegal_step",
        500,
        "Illegal step",
        "A bug in Pointsman: a message was to change its state in a way that its life"
        " does not allow. Nothing was changed.",
        False,
        "Please report it, with the log.",
    ),
    Code(
        "settings",
        422,
        "The settings have mistakes",
        "Nothing was changed; every mistake is listed in `mistakes`.",
        False,
        "Correct them; `pointsman config check` shows them too.",
    ),
    Code(
        "engine",
        503,
        "The engine failed",
        "It could not do what was asked; nothing is known to have changed.",
        False,
        "Read the log of the router.",
    ),
    Code(
        "lease_lost",
        409,
        "The lease was lost",
        "An attempt was not renewed in time, or was superseded; what came of it no longer counts.",
        False,
        "Nothing: the message is settled by the rules of its pool.",
    ),
    Code(
        "schema_too_new",
        503,
        "The store is newer",
        "It was written by a newer version of Pointsman and is left untouched.",
        False,
        "Run the newer version.",
    ),
    Code(
        "not_delivered",
        502,
        "Not delivered",
        "In the library: the message ended otherwise than delivered.",
        False,
        "Look at the `status` and `detail` of the result.",
    ),
    Code(
        "refused",
        422,
        "Refused",
        "In the library: the message was refused; the code is that of its reason.",
        False,
        "Look at the reason.",
    ),
    Code("internal", 500, "An internal fault", "A bug in Pointsman.", False, "Please report it, with the log."),
    Code(
        "port_taken",
        0,
        "The port is taken",
        "Another process listens on the address of `server.listen`.",
        False,
        "Stop it, or choose another port.",
    ),
    Code(
        "not_loopback",
        0,
        "Not without keys",
        "`server.listen` is an address that others can reach, and there are no API keys yet.",
        False,
        "Listen on 127.0.0.1 or [::1].",
    ),
)

SECTIONS: Final[dict[str, tuple[Code, ...]]] = {
    "Refused messages": _REFUSALS,
    "Refused requests": _REQUESTS,
    "Ends other than delivered": _ENDS,
    "Failed attempts": _FAILURES,
    "Faults": _FAULTS,
}
"""The table by section, in the order of the reference page."""

CODES: Final[dict[str, Code]] = {row.code: row for rows in SECTIONS.values() for row in rows}
"""The table by code."""
