"""What a worker's answer means: a table from the errors of the wire to `Failed`, and the words for an HTTP status.

`sent` is false only where the worker cannot have begun: there was no connection, or it said so itself (`statuses`). A
redirect counts as sent, because some programs act first and redirect then.
"""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import parsedate_to_datetime

from pointsman.core import rate_headers
from pointsman.model.errors import PointsmanError, SettingsError, UsageError
from pointsman.model.outcome import Failed, Failure
from pointsman.ports import Attempt
from pointsman.transports.statuses import Verdict
from pointsman.transports.wire.errors import (
    BodyTooLarge,
    ConnectFailed,
    ConnectionClosed,
    ProtocolBroken,
    Silent,
    WireError,
)
from pointsman.transports.wire.response import Response
from pointsman.transports.work import decode_json

DETAIL_CHARS = 500
"""How much of a worker's own words is kept."""

ERROR_BODY_BYTES = 1_048_576
"""How much of a worker's error body is read."""

_LONGEST_WISH_S = 86_400.0
_WIRE: dict[type[PointsmanError], tuple[Failure, bool]] = {
    ConnectFailed: (Failure.WORKER_UNREACHABLE, False),
    ConnectionClosed: (Failure.WORKER_CLOSED, True),
    ProtocolBroken: (Failure.WORKER_GARBAGE, True),
    BodyTooLarge: (Failure.WORKER_GARBAGE, True),
    Silent: (Failure.WORKER_TIMEOUT, True),
    UsageError: (Failure.ROUTER_ERROR, False),
    SettingsError: (Failure.ROUTER_ERROR, False),
}
SEND_ERRORS = (WireError, UsageError, SettingsError)
"""What sending a message over HTTP may raise: the five of the wire, and those of a token: unusable, missing."""

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


def fail_by_status(
    attempt: Attempt, status: int, headers: Sequence[tuple[str, str]], body: bytes, verdict: Verdict
) -> Failed:
    """Return the failure that an HTTP status of 300 or more is.

    Args:
        attempt: what failed.
        status: of the answer.
        headers: of the answer, names in lower case.
        body: of the answer.
        verdict: what the status means.
    """
    wish_s = None
    if verdict.about_key:
        detail = f"status {status}: the worker did not take the key it was sent; see `auth` in its settings"
    elif verdict.reason is Failure.WORKER_BUSY:
        wish_s = retry_after_s(headers)
        detail = f"busy ({status}): {own_words(body)}"
    elif status < 400:
        target = next((value for name, value in headers if name == "location"), "nowhere")
        detail = (
            f"redirect ({status}) to {target}: redirects are not followed; set the worker's url to where it listens"
        )
    else:
        detail = f"status {status}: {own_words(body)}"
    return fail(attempt, verdict.reason, detail, sent=verdict.sent, retry_after_s=wish_s, status=status)


async def show(attempt: Attempt, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
    """Keep an error of the worker for the sender, who gets it if the message ends with it.

    Where the sender has seen a part of the answer, it is too late for that.
    """
    if not attempt.reply.started:
        attempt.reply.start(status, headers)
        await attempt.reply.write(body)


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


def retry_after_s(headers: Sequence[tuple[str, str]]) -> float | None:
    """Return for how many seconds a worker asks to be left alone, at most a day; None where it does not.

    A date counts from the worker's own `date`: its clock and ours may differ.
    """
    wish_s = rate_headers.retry_after_s(headers)
    if wish_s is not None:
        return wish_s
    named = dict(headers)
    until, now = _instant(named.get("retry-after")), _instant(named.get("date"))
    if until is None or now is None:
        return None
    return min(max(0.0, until - now), _LONGEST_WISH_S)


def _instant(value: str | None) -> float | None:
    """Return the Unix seconds of an HTTP date (RFC 9110, 5.6.7), or None if it is none."""
    try:
        return None if value is None else parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
