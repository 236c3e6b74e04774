"""Streamed answers as the two protocols have them, and plain ones."""

from __future__ import annotations

import json
from typing import Any


def openai(*texts: str, end: bool = True, spaced: bool = False, **last: Any) -> bytes:
    """A stream of OpenAI's: a chunk a text, a reason to end, what else is said, [DONE]."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "m"}
    choices: list[dict[str, Any]] = [{"index": 0, "delta": {"content": text}, "finish_reason": None} for text in texts]
    events: list[dict[str, Any]] = [{**head, "choices": [choice], "usage": None} for choice in choices]
    if end:
        events.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    events += [{**head, "choices": [], **last}] if last else []
    return data(*events, spaced=spaced) + (b"data: [DONE]\n\n" if end else b"")


def data(*events: Any, spaced: bool = False) -> bytes:
    """Events without names."""
    separators = (", ", ": ") if spaced else (",", ":")
    return b"".join(b"data: " + json.dumps(one, separators=separators).encode() + b"\n\n" for one in events)


def anthropic(*texts: str, start: Any, last: Any = None, end: bool = True, spaced: bool = False) -> bytes:
    """A stream of Anthropic's; `start` and `last` are what its first and last part say of usage."""
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m", "usage": start}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": one}} for one in texts),
    ]
    if last is not None:
        events.append({"type": "content_block_stop", "index": 0})
        events.append({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": last})
    if end:
        events.append({"type": "message_stop"})
    separators = (", ", ": ") if spaced else (",", ":")
    return b"".join(
        f"event: {one['type']}\ndata: {json.dumps(one, separators=separators)}\n\n".encode() for one in events
    )


def whole(protocol: str, text: str, usage: Any) -> bytes:
    """A plain answer."""
    if protocol == "openai":
        message = {"role": "assistant", "content": text}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        return json.dumps({"id": "c-1", "choices": choices, "model": "m-1", "usage": usage}).encode()
    content = [{"type": "text", "text": text}]
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m-1"}
    return json.dumps({**head, "content": content, "usage": usage}).encode()
