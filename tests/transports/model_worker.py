"""A worker behind a model API, real sockets and all, whose every byte the test decides; for either protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from pointsman.core.estimate import estimate_tokens
from pointsman.model.outcome import Outcome
from pointsman.ports import Attempt
from pointsman.testing.attempts import RecordingSink, make_attempt
from pointsman.transports.anthropic import AnthropicTransport
from pointsman.transports.model_transport import ModelTransport
from pointsman.transports.openai import OpenAITransport
from tests.transports.raw_server import Request, Talk, serve

KINDS: dict[str, type[ModelTransport]] = {"openai": OpenAITransport, "anthropic": AnthropicTransport}
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
ENDPOINTS = {"openai": "/chat/completions", "anthropic": "/messages"}
BODIES = {
    "openai": b'{ "messages" : [{"role":"user","content":"caf\xc3\xa9"}],\n "model":"auto", "x": {"model": 1.0} }',
    "anthropic": b'{"model":"auto", "max_tokens": 5,"messages":[{"role":"user","content":[{"type":"text"}]}]}',
}

Script = Callable[[Talk], Awaitable[None]]


class Answered(NamedTuple):
    """What came of one message."""

    outcome: Any
    sink: RecordingSink
    requests: list[Request]
    attempt: Attempt
    heard: list[dict[str, str]]


def compatible(protocol: str, *, stream: bool = False, endpoint: str = "", **fields: Any) -> Attempt:
    """An attempt at a message that a client of this protocol sent."""
    attempt = make_attempt(body=fields.pop("body", BODIES[protocol]), stream=stream)
    attempt.envelope.protocol = protocol
    attempt.envelope.endpoint = endpoint or ENDPOINTS[protocol]
    for name, value in fields.items():
        setattr(attempt.envelope, name, value)
    return attempt


def guess(attempt: Attempt) -> int:
    """Input tokens of a message where nobody says."""
    return estimate_tokens(attempt.envelope, 0)[0]


@asynccontextmanager
async def worker(protocol: str, script: Script, path: str = "", **options: Any) -> AsyncIterator[ModelTransport]:
    """A transport, opened, and what it speaks to."""
    async with serve(script) as server:
        transport = KINDS[protocol](server.url + path, **{"model": "gpt-x", "max_in_flight": 2, **options})
        await transport.open()
        try:
            yield transport
        finally:
            await transport.close()


async def send(protocol: str, attempt: Attempt, reply: bytes | Script, **options: Any) -> Answered:
    """Send one message to a worker that answers with these bytes, or does what the script says."""
    requests: list[Request] = []
    heard: list[dict[str, str]] = []
    attempt.on_head = lambda headers: heard.append(dict(headers))

    async def script(talk: Talk) -> None:
        while True:
            requests.append(await talk.request())
            if isinstance(reply, bytes):
                talk.send(reply)
            else:
                await reply(talk)

    async with worker(protocol, script, **options) as transport:
        outcome: Outcome = await transport.send(attempt)
    assert isinstance(attempt.reply, RecordingSink)
    return Answered(outcome, attempt.reply, requests, attempt, heard)


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A plain answer as bytes of HTTP."""
    lines = "".join(f"{header}\r\n" for header in headers)
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{lines}\r\n".encode() + body


def as_json(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """The same, and its type."""
    return answer(body, "content-type: application/json", *headers, status=status)


STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"


def in_events(*chunks: bytes, end: bool = True) -> bytes:
    """An answer in events, in these chunks; its framing may be left open."""
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return STREAM_HEAD + framed + (b"0\r\n\r\n" if end else b"")
