"""Passes a worker's answer on to a client that speaks its protocol: the bytes as they come, and beside them an account.

An answer in events is written piece by piece, each piece as it came; whoever counts tokens looks at the same bytes and
changes none. Until the first piece is written another worker may answer instead, so an error that is the first thing to
come is taken for the refusal it is. An answer in one piece is read whole and looked at before it is written, so that
nobody is told 200 with something that no client can read.

A stream that ends without its last event was cut. One that ends with an error of the worker's own comes to
`WORKER_ERROR`, and to nothing else: whoever sees that reason with `started` knows that the client has been told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from pointsman.core.answer_scan import AnswerScan, text_tokens
from pointsman.core.estimate import estimate_tokens
from pointsman.core.usage import usage_of
from pointsman.model.outcome import Delivered, Failed, Failure, Outcome
from pointsman.model.usage import Usage
from pointsman.ports import Attempt
from pointsman.transports.failures import fail, fail_by_error, own_words
from pointsman.transports.http import REPLY_BYTES
from pointsman.transports.model_api import ModelApi
from pointsman.transports.wire.errors import WireError
from pointsman.transports.wire.response import Response
from pointsman.transports.work import decode_json

EVENTS = "text/event-stream"

Headers = Sequence[tuple[str, str]]
Refuse = Callable[[int, Headers, bytes], Awaitable[Failed]]
"""Makes a failure of status, headers (all of them) and body of a refusal, and shows it to the sender."""

_CONNECTION = frozenset(
    {
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "server",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_UNKNOWN = 502
_EVENT_STATUS = {"overloaded_error": 529, "rate_limit_error": 429, "rate_limit_exceeded": 429, "api_error": 500}


def passing(headers: Headers) -> list[tuple[str, str]]:
    """Return the headers of a worker's answer that concern the client: all but those of its connection (RFC 9110)."""
    named = ""
    for name, value in headers:
        if name == "connection":
            named += f",{value}"
    if not named or named in {",keep-alive", ",close"}:
        return [field for field in headers if field[0] not in _CONNECTION]
    dropped = _CONNECTION | {option.strip().lower() for option in named.split(",")}
    return [field for field in headers if field[0] not in dropped]


def is_events(response: Response) -> bool:
    """Whether an answer comes as events that can be read."""
    return (response.header("content-type") or "").lower().startswith(EVENTS)


def input_guess(attempt: Attempt) -> int:
    """Return about how many tokens the message itself is."""
    return estimate_tokens(attempt.envelope, 0)[0]


async def relay_whole(attempt: Attempt, response: Response, headers: Headers, api: ModelApi, endpoint: str) -> Outcome:
    """Pass on an answer that comes in one piece.

    Raises:
        WireError: it did not come whole, or is longer than anybody reads.
    """
    body = await response.read(REPLY_BYTES)
    if is_coded(response):
        attempt.usage = Usage(input_guess(attempt), 0, 0, text_tokens(body), estimated=True)
    else:
        try:
            figures = api.read_whole(endpoint, body)
        except ValueError as error:
            return fail(attempt, Failure.WORKER_GARBAGE, f"{error}: {own_words(body)}", sent=True)
        attempt.usage = usage_of(figures, lambda: input_guess(attempt), lambda: text_tokens(body))
    attempt.reply.start(response.status, passing(headers))
    await attempt.reply.write(body)
    return Delivered(attempt.worker)


def is_coded(response: Response) -> bool:
    """Whether an answer is compressed, unasked, so that nobody here can read it."""
    return (response.header("content-encoding") or "identity").lower() != "identity"


async def relay_events(
    attempt: Attempt, response: Response, headers: Headers, scan: AnswerScan | None, refuse: Refuse
) -> Outcome:
    """Pass on an answer that comes in events.

    Args:
        attempt: whose sender gets it.
        response: the answer.
        headers: all of its headers.
        scan: keeps account; None where the bytes cannot be read.
        refuse: what to do with an error that comes first.
    """
    reply = attempt.reply
    feed = _ignore if scan is None else scan.feed
    broken: WireError | None = None
    size = 0
    begun = False

    def pass_on(chunk: bytes) -> bool:
        feed(chunk)
        return reply.write_now(chunk)

    try:
        first = await response.next_chunk()
        feed(first)
        if scan is not None and (error := scan.error) is not None:
            return await refuse_first(error, headers, refuse)
        if first:
            begun = True
            reply.start(response.status, passing(headers))
            attempt.first_token_at = asyncio.get_running_loop().time()
            await reply.write(first)
        while chunk := await response.pump(pass_on):
            await reply.write(chunk)
            size += len(chunk)
            if size > REPLY_BYTES and not reply.started:
                return fail(attempt, Failure.WORKER_GARBAGE, f"the reply is longer than {REPLY_BYTES} bytes", sent=True)
    except WireError as error:
        broken = error
    finally:
        if begun:
            attempt.usage = take_account(attempt, scan)
    return end_of_events(attempt, scan, broken)


async def refuse_first(error: bytes, headers: Headers, refuse: Refuse) -> Failed:
    """Take an error event that came before anything else for the refusal it would have been a moment earlier."""
    fields = [("content-type", "application/json"), *(field for field in headers if field[0] != "content-type")]
    return await refuse(_status_of(error), fields, error)


def take_account(attempt: Attempt, scan: AnswerScan | None) -> Usage:
    """Return what an answer in events has taken so far."""
    if scan is None:
        return Usage(input_guess(attempt), estimated=True)
    return scan.usage(lambda: input_guess(attempt))


def end_of_events(attempt: Attempt, scan: AnswerScan | None, broken: WireError | None) -> Outcome:
    """Return what an answer in events comes to; `broken`: why it stopped, where it did not end by itself."""
    if scan is not None and (error := scan.error) is not None:
        return fail(attempt, Failure.WORKER_ERROR, f"an error ended the answer: {own_words(error)}", sent=True)
    if broken is not None and (scan is None or not scan.done):
        return fail_by_error(attempt, broken)
    if scan is not None and not scan.ended:
        return fail(attempt, Failure.WORKER_CLOSED, "the stream ended without its last event: it was cut", sent=True)
    return Delivered(attempt.worker)


def _ignore(chunk: bytes) -> None:
    pass


def _status_of(event: bytes) -> int:
    """Return the HTTP status that an error event would have been, had it come in time."""
    try:
        error = decode_json(event)
    except ValueError:
        return _UNKNOWN
    if isinstance(error.get("error"), dict):
        error = error["error"]
    code = error.get("code")
    if type(code) is int and 400 <= code <= 599:
        return code
    return next((_EVENT_STATUS[word] for word in _EVENT_STATUS if word in (error.get("type"), code)), _UNKNOWN)
