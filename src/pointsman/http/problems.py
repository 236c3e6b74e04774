"""The one module that turns reasons into status codes: refusals, ends and faults become RFC 9457 problems.

What each code means, and its status, stands in `codes`. How a problem is written on the wire of another
protocol is that protocol's business.
"""

from __future__ import annotations

import math
from typing import Any, Final
from urllib.parse import quote

import msgspec

from pointsman.core.rollout.fallback import after_end, after_refusal
from pointsman.http.code import Code
from pointsman.http.codes import CODES, SECTIONS
from pointsman.model.errors import DeliveryError, PointsmanError, RefusedError, SettingsError
from pointsman.model.message import Envelope
from pointsman.model.outcome import RETRYABLE_REFUSALS, Refusal, Refused
from pointsman.model.result import Result
from pointsman.model.states import Status

MEDIA_TYPE: Final = b"application/problem+json"

TYPE_PREFIX: Final = "urn:pointsman:problem:"
"""What the `type` of a problem begins with; the code follows."""

_END_STATUS: Final = {Status.FAILED: 502, Status.DEAD: 502, Status.EXPIRED: 504, Status.CANCELLED: 499}

_DETAIL_CHARACTERS: Final = 2_000
_INSTANCE_CHARACTERS: Final = 200


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is no success.

    Attributes:
        status: HTTP status.
        code: one of `codes.CODES`; or another code that an exception brings.
        title: the same for every occurrence of the code.
        detail: what was wrong this time, what was expected, what to do.
        retryable: the same request may succeed later.
        retry_after_s: seconds to wait before that, or None.
        instance: the path of what it is about, or None for the path that was asked for.
        trace_id: W3C trace id, or an empty string.
        more: further members, such as `field`, `mistakes` or `id`.
        headers: further headers of the answer.
        fallback: why another router may answer instead, as no worker can have seen the message; else empty.
    """

    status: int
    code: str
    title: str
    detail: str
    retryable: bool
    retry_after_s: float | None = None
    instance: str | None = None
    trace_id: str = ""
    more: dict[str, Any] = {}
    headers: tuple[tuple[bytes, bytes], ...] = ()
    fallback: str = ""


class RequestError(PointsmanError):
    """A request that is refused for what it is as HTTP, before it is a message.

    Args:
        code: a row of `codes`.
        detail: what was wrong, what was expected, what to do.
        headers: headers that belong to the answer, such as `Allow`.
    """

    def __init__(self, code: str, detail: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        self.code = code
        self.http_status = CODES[code].status
        self.retryable = CODES[code].retryable
        self.headers = headers
        super().__init__(detail)


def invalid(detail: str, field: str = "") -> RefusedError:
    """Return the exception for something malformed; raise it."""
    return RefusedError(Refused(Refusal.INVALID, detail, field=field))


def of_refused(refused: Refused, *, trace_id: str = "") -> Problem:
    """Return the problem of a message that was not accepted."""
    row = CODES[refused.reason.value]
    return Problem(
        status=row.status,
        code=row.code,
        title=row.title,
        detail=refused.detail,
        retryable=refused.reason in RETRYABLE_REFUSALS,
        retry_after_s=refused.retry_after_s,
        trace_id=trace_id,
        more={"field": refused.field} if refused.field else {},
        fallback=after_refusal(refused),
    )


def of_end(result: Result, envelope: Envelope) -> Problem:
    """Return the problem of a message whose sender waited and that ended otherwise than delivered.

    A message that a worker refused as wrong keeps the worker's own 4xx, where it had one.
    """
    row = _row(result.cause.value if result.cause else "internal")
    status = _END_STATUS.get(result.status, 500)
    if result.status is Status.FAILED and result.reply is not None and 400 <= result.reply.status < 500:
        status = result.reply.status
    return Problem(
        status=status,
        code=row.code,
        title=row.title,
        detail=result.detail,
        retryable=row.retryable,
        instance=f"/api/v1/messages/{result.id}",
        trace_id=envelope.trace_id,
        more={"id": result.id, "ended": result.status.value, "attempts": result.attempts},
        fallback=after_end(result.status, envelope),
    )


def of_error(error: PointsmanError, *, trace_id: str = "") -> Problem:
    """Return the problem of an exception that we raised on purpose."""
    if isinstance(error, RefusedError):
        return of_refused(error.refused, trace_id=trace_id)
    row = _row(error.code)
    more: dict[str, Any] = {}
    if isinstance(error, SettingsError):
        more["mistakes"] = error.mistakes
    elif isinstance(error, DeliveryError):
        more["id"] = error.message_id
    return Problem(
        status=row.status if error.code in CODES and row.status else error.http_status,
        code=error.code,
        title=row.title,
        detail=str(error),
        retryable=error.retryable,
        retry_after_s=1.0 if error.retryable else None,
        trace_id=trace_id,
        more=more,
        headers=error.headers if isinstance(error, RequestError) else (),
    )


def _row(code: str) -> Code:
    return CODES.get(code, CODES["internal"])


def encode(problem: Problem, instance: str) -> bytes:
    """Return the body of a problem; `instance` is the path that was asked for, where the problem names no other.

    The path is written as a URI has it, so that nothing in it can act on the screen that shows it.
    """
    members = {
        "type": TYPE_PREFIX + problem.code,
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail[:_DETAIL_CHARACTERS],
        "instance": problem.instance or quote(instance[:_INSTANCE_CHARACTERS], safe="/:@"),
        "retryable": problem.retryable,
        "retry_after_s": problem.retry_after_s,
        "trace_id": problem.trace_id or None,
        **problem.more,
    }
    return msgspec.json.encode(members)


def headers(problem: Problem) -> list[tuple[bytes, bytes]]:
    """Return the headers of a problem in every dialect: its own, and `Retry-After` in whole seconds, at least 1."""
    fields = list(problem.headers)
    if problem.retry_after_s is not None:
        fields.append((b"retry-after", b"%d" % max(1, math.ceil(problem.retry_after_s))))
    return fields


def reference() -> str:
    """Return the table of codes as Markdown, a section for each kind; `docs/reference/errors.md` is made of it."""
    lines: list[str] = []
    for section, rows in SECTIONS.items():
        lines += [
            f"## {section}",
            "",
            "| code | status | meaning | send again? | what to do |",
            "|---|---|---|---|---|",
        ]
        for row in rows:
            status = str(row.status) if row.status else ""
            again = "yes" if row.retryable else "no"
            lines.append(f"| `{row.code}` | {status} | {row.meaning} | {again} | {row.advice} |")
        lines.append("")
    return "\n".join(lines)
