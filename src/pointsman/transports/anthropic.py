"""Workers that speak the Anthropic protocol: messages, and the count of their tokens."""

from __future__ import annotations

from typing import Any

import msgspec

from pointsman.core.usage import Figures, anthropic_figures
from pointsman.ports import Attempt
from pointsman.transports.link import TokenStyle
from pointsman.transports.model_api import Piece, read_usage
from pointsman.transports.model_transport import ModelTransport

VERSION = "2023-06-01"
"""The version of the API that requests are written for where the sender names none."""

MAX_TOKENS = 4_096
"""Longest answer to a native message that names no `max_tokens`, which the API wants named."""

_COUNT = "/messages/count_tokens"
_INSTRUCTIONS = frozenset({"system", "developer"})


class _Block(msgspec.Struct):
    type: str
    text: str | None = None


class _Message(msgspec.Struct):
    content: list[_Block]
    model: str | None = None
    usage: Any = None


class _Whole(msgspec.Struct):
    content: list[msgspec.Raw]
    usage: Any = None


class _TokenCount(msgspec.Struct):
    input_tokens: int


class _Delta(msgspec.Struct):
    type: str | None = None
    text: str | None = None


class _Head(msgspec.Struct):
    model: str | None = None


class _Event(msgspec.Struct):
    type: str | None = None
    delta: _Delta | None = None
    message: _Head | None = None


_messages = msgspec.json.Decoder(_Message)
_wholes = msgspec.json.Decoder(_Whole)
_counts = msgspec.json.Decoder(_TokenCount)
_events = msgspec.json.Decoder(_Event)
_UNREADABLE = (ValueError, RecursionError, msgspec.DecodeError)


class AnthropicApi:
    """See `ModelApi`. A base URL has no `/v1`, as its clients take it; one that ends in it is taken as it is."""

    protocol = "anthropic"
    main = "/messages"
    token_style: TokenStyle = "x-api-key"
    headers: tuple[tuple[str, str], ...] = (("anthropic-version", VERSION),)

    def prefix(self, path: str) -> str:
        """Complete a URL that does not end in `/v1`."""
        return "" if path.endswith("/v1") else "/v1"

    def ask(self, attempt: Attempt) -> dict[str, Any]:
        """Ask for a message; instructions among the turns go beside them."""
        message = attempt.envelope.message
        request = {"max_tokens": MAX_TOKENS, **message.params}
        if message.messages is None:
            text = message.text if message.text is not None else attempt.envelope.ask
            request["messages"] = [{"role": "user", "content": text}]
        else:
            request["messages"] = [turn for turn in message.messages if turn.get("role") not in _INSTRUCTIONS]
            instructions = [turn for turn in message.messages if turn.get("role") in _INSTRUCTIONS]
            if instructions:
                request["system"] = [*_blocks(request.get("system")), *_gather(instructions)]
        request["stream"] = message.stream
        return request

    def read_whole(self, endpoint: str, body: bytes) -> Figures:
        """Read a message, or a count of tokens, which costs none."""
        if endpoint.partition("?")[0] == _COUNT:
            try:
                _counts.decode(body)
            except _UNREADABLE as error:
                raise ValueError(f"expected a count of tokens, got ({error})") from None
            return Figures(0, 0)
        try:
            return anthropic_figures(read_usage(_wholes, "content", body))
        except ValueError as error:
            raise _no_message(error) from None

    def tell_whole(self, body: bytes) -> dict[str, Any]:
        """Tell the text of all text blocks."""
        try:
            message = _messages.decode(body)
        except _UNREADABLE as error:
            raise _no_message(error) from None
        text = "".join(block.text or "" for block in message.content if block.type == "text")
        return {"text": text, "usage": message.usage, "model": message.model}

    def tell_event(self, data: bytes) -> Piece:
        """Tell what an event adds to the text."""
        try:
            event = _events.decode(data)
        except _UNREADABLE as error:
            raise ValueError(f"expected an event of a message, got ({error})") from None
        delta, message = event.delta, event.message
        text = delta.text if delta is not None and delta.type == "text_delta" else None
        return Piece(text or "", message.model if message else None)


def _blocks(content: Any) -> list[Any]:
    """Return what a `content` or `system` holds as blocks."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return list(content) if isinstance(content, list) else []


def _gather(turns: list[dict[str, Any]]) -> list[Any]:
    return [block for turn in turns for block in _blocks(turn.get("content"))]


def _no_message(error: Exception) -> ValueError:
    return ValueError(f"expected a message with content, got ({error})")


class AnthropicTransport(ModelTransport):
    """A worker that speaks the Anthropic protocol."""

    _api = AnthropicApi()
