"""What a worker's answer means: one table from the errors of the wire, and one from HTTP statuses, to `Failed`.

`sent` is false only where the worker cannot have begun: there was no connection, or it said itself that it is busy. A
redirect counts as sent, because some programs act first and redirect then.
"""

from __future__ import annotations

from collections.abc import Sequence

from pointsman.model.errors import PointsmanError, SettingsError, UsageError
from pointsman.model.outcome import Failed, Failure
from pointsman.ports import Attempt
from pointsman.transports.wire.errors import BodyTooLarge, ConnectFailed, ConnectionClosed, ProtocolBroken, WireError
from pointsman.transports.wire.response import Response
from pointsman.transports.work import decode_json

DETAIL_CHARS = 500
"""How much of a worker's own words is kept."""

ERROR_BODY_BYTES = 1_048_576
"""How much of a worker's error body is read."""

_BUSY = frozenset({429, 503})
_LONGEST_RETRY_AFTER_DIGITS = 8
_WIRE: dict[type[PointsmanError], tuple[Failure, bool]] = {
    ConnectFailed: (Failure.WORKER_UNREACHABLE, False),
    ConnectionClosed: (Failure.WORKER_CLOSED, True),
    ProtocolBroken: (Failure.WORKER_GARBAGE, True),
    BodyTooLarge: (Failure.WORKER_GARBAGE, True),
    UsageError: (Failure.ROUTER_ERROR, False),
    SettingsError: (Failure.ROUTER_ERROR, False),
}
SEND_ERRORS = (WireError, UsageError, SettingsError)
"""What sending a message over HTTP may raise: the four of the wire, and those of a token: unusable, missing."""

# Where workers and frameworks put their explanation: OpenAI, FastAPI, RFC 9457, Go's habits.
_EXPLANATIONS = ("error", "detail", "message", "title")


def fail(
    attempt: Attempt,
    reason: Failure,
    detail: str,
    *,
    sent: bool,
    retry_after_s: float | None = None,
    status: int = 0,
) -> Failed:
    """Return the failure of an attempt, with the worker's id and the state of the reply filled in."""
    return Failed(
        reason,
        cut(detail),
        worker=attempt.worker,
        retry_after_s=retry_after_s,
        sent=sent,
        started=attempt.reply.started,
        status=status,
    )


def fail_by_error(attempt: Attempt, error: PointsmanError) -> Failed:
    """Return what an error means. `error` is one of `SEND_ERRORS`."""
    reason, sent = _WIRE[type(error)]
    return fail(attempt, reason, str(error), sent=sent)


def fail_by_status(attempt: Attempt, response: Response, body: bytes) -> Failed:
    """Return what an HTTP status of 300 or more means."""
    status = response.status
    words = own_words(body)
    if status in _BUSY:
        wish_s = retry_after_s(response.header("retry-after"))
        detail = f"busy ({status}): {words}"
        return fail(attempt, Failure.WORKER_BUSY, detail, sent=False, retry_after_s=wish_s, status=status)
    if status < 400:
        target = response.header("location") or "nowhere"
        detail = (
            f"redirect ({status}) to {target}: redirects are not followed; set the worker's url to where it listens"
        )
        return fail(attempt, Failure.WORKER_ERROR, detail, sent=True, status=status)
    reason = Failure.MESSAGE_FAULT if status < 500 else Failure.WORKER_ERROR
    return fail(attempt, reason, f"status {status}: {words}", sent=True, status=status)


async def refuse(attempt: Attempt, response: Response, passing: Sequence[tuple[str, str]] | None) -> Failed:
    """Return what a status of 300 or more means.

    Where it ends the message and `passing` is given, the sender gets the worker's status and words, and these headers.

    Raises:
        ConnectionClosed, ProtocolBroken: the answer was cut short.
    """
    body = await read_error_body(response)
    failed = fail_by_status(attempt, response, body)
    if failed.reason is Failure.MESSAGE_FAULT and passing is not None:
        attempt.reply.start(response.status, passing)
        await attempt.reply.write(body)
    return failed


async def read_error_body(response: Response) -> bytes:
    """Return the body of an error reply, empty if it is longer than anybody will read.

    Raises:
        ConnectionClosed, ProtocolBroken: it was cut short.
    """
    try:
        return await response.read(ERROR_BODY_BYTES)
    except BodyTooLarge:
        return b""


def own_words(body: bytes) -> str:
    """Return the explanation in a worker's error body: its `error.message`, `error`, `detail`, ..., else all of it."""
    try:
        value = decode_json(body)
    except ValueError:
        value = None
    if isinstance(value, dict):
        for key in _EXPLANATIONS:
            found = value.get(key)
            if isinstance(found, dict):
                found = found.get("message")
            if isinstance(found, str) and found:
                return cut(found)
    return cut(body[: 4 * DETAIL_CHARS].decode("utf-8", "replace")) or "no explanation"


def cut(text: str) -> str:
    """Return text as one printable line of at most `DETAIL_CHARS` characters."""
    line = " ".join(text[: 4 * DETAIL_CHARS].split())
    line = "".join(char if char.isprintable() else "?" for char in line)
    return line if len(line) <= DETAIL_CHARS else line[: DETAIL_CHARS - 3] + "..."


def retry_after_s(value: str | None) -> float | None:
    """Return the seconds in a Retry-After header; None where there is none, or a date (clocks differ)."""
    if value is None or not value.isascii() or not value.isdigit() or len(value) > _LONGEST_RETRY_AFTER_DIGITS:
        return None
    return float(value)
