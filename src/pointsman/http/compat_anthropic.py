"""Anthropic's language: messages and the count of their tokens; clients change their base URL and go on.

`model` is `auto` to let the router decide, or the name of a class, an alias, a pool or a worker's model to insist.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pointsman.http import anthropic_errors, compat, wire
from pointsman.http.compat_openai import text_of
from pointsman.http.dialect import Dialect
from pointsman.http.exchange import Answer, Request
from pointsman.model.message import Envelope
from pointsman.model.result import Result


class MessagesRequest(msgspec.Struct, frozen=True):
    """What we read of a request for a message; other fields pass to the worker."""

    messages: list[dict[str, Any]]
    model: str | None = None
    stream: bool | None = None
    max_tokens: int | None = None
    system: Any = None
    metadata: Any = None


_MESSAGES: Final = msgspec.json.Decoder(MessagesRequest)


async def create(request: Request) -> Answer:
    """Answer a request for a message by whichever worker is right for it."""
    return await _pass_on(request, "/messages")


async def count_tokens(request: Request) -> Answer:
    """Let a worker count the tokens of a message that is not sent."""
    return await _pass_on(request, "/messages/count_tokens")


async def _pass_on(request: Request, endpoint: str) -> Answer:
    body = await request.body(request.surface.settings().server.compatible_body_bytes)
    return await compat.relay(request, ANTHROPIC, messages_envelope(request, body, endpoint))


def messages_envelope(request: Request, body: bytes, endpoint: str) -> Envelope:
    """Return the envelope of a request. Raises as `compat.envelope_of`, and for what is no such body."""
    wanted = wire.lenient(body, _MESSAGES)
    messages = wanted.messages
    if wanted.system:
        messages = [{"role": "system", "content": wanted.system}, *messages]
    return compat.envelope_of(
        request,
        ANTHROPIC,
        body=body,
        endpoint=endpoint,
        model=wanted.model,
        stream=bool(wanted.stream),
        messages=messages,
        hint=wanted.metadata.get("user_id") if isinstance(wanted.metadata, dict) else None,
        max_output_tokens=wanted.max_tokens,
    )


def _whole(result: Result, envelope: Envelope) -> bytes:
    """Return the answer of a worker that does not speak this protocol as if it did."""
    content = [{"type": "text", "text": text_of(result.reply)}]
    return wire.encode({**_head(result), "content": content, "stop_reason": "end_turn"})


def _head(result: Result) -> dict[str, Any]:
    return {
        "id": f"msg_{result.id}",
        "type": "message",
        "role": "assistant",
        "model": result.message_class,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }


def _events(result: Result, envelope: Envelope) -> bytes:
    """Return the same as a stream."""
    text = {"type": "text_delta", "text": text_of(result.reply)}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": _head(result)},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": text},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 0},
        },
        {"type": "message_stop"},
    ]
    return b"".join(b"event: %b\ndata: %b\n\n" % (str(one["type"]).encode(), wire.encode(one)) for one in events)


ANTHROPIC: Final = Dialect(
    protocol="anthropic",
    request_id=b"request-id",
    ping=b'event: ping\ndata: {"type": "ping"}\n\n',
    error=anthropic_errors.encode,
    error_event=anthropic_errors.event,
    whole=_whole,
    events=_events,
)
