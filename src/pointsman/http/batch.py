"""Many messages in one request: JSON lines in, JSON lines out, in the same order, each with the number of its
line.

Every line is a message like any other: admitted in order, with the client's limits, and answered or refused
by itself. A line that is wrong spoils no other. Empty lines are skipped.
"""

from __future__ import annotations

import asyncio
from typing import Final

from pointsman.http import messages, problems
from pointsman.http.exchange import Answer, Request, Response, media
from pointsman.http.problems import Problem, RequestError, invalid
from pointsman.model.errors import PointsmanError

MEDIA_TYPE: Final = b"application/x-ndjson"

MOST_LINES: Final = 1_000

LINES: Final = media(MEDIA_TYPE, rb"application/(?:x-)?(?:ndjson|jsonl|jsonlines)")


async def send(request: Request) -> Answer:
    """Send many messages, one a line; the answers come in the same order."""
    server = request.surface.settings().server
    if b"idempotency-key" in request.fields:
        raise invalid(
            "idempotency-key: one key cannot stand for many messages; send them one by one", "idempotency-key"
        )
    body = await request.body(server.compatible_body_bytes, LINES)
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    if not 1 <= len(lines) <= MOST_LINES:
        raise invalid(f"got {len(lines)} messages, expected 1 to {MOST_LINES}, one a line")
    answered = await request.while_there(_carry_all(request, lines, server.native_body_bytes))
    return Response(200, b"\n".join(answered) + b"\n", MEDIA_TYPE)


async def _carry_all(request: Request, lines: list[tuple[int, bytes]], cap_bytes: int) -> list[bytes]:
    answered: list[bytes] = [b""] * len(lines)

    async def carry_into(position: int) -> None:
        number, line = lines[position]
        answered[position] = _number(number, await _carry_line(request, line, cap_bytes))

    tasks = [request.context.tasks.spawn(carry_into(position), "batch line") for position in range(len(lines))]
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
    return answered


async def _carry_line(request: Request, line: bytes, cap_bytes: int) -> Response | Problem:
    try:
        if len(line) > cap_bytes:
            raise RequestError("too_large", f"the line has {len(line)} bytes, expected at most {cap_bytes}")
        return await messages.carry(request.surface, messages.envelope_of(request, line))
    except PointsmanError as error:
        return problems.of_error(error, trace_id=request.trace_id)


def _number(number: int, answer: Response | Problem) -> bytes:
    """Return an answer, which is a JSON object, with its line's number as first member."""
    body = problems.encode(answer, messages.PATH) if isinstance(answer, Problem) else answer.body
    return b'{"line":%d,%b' % (number, body[1:])
