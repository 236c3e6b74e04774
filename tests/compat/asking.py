"""Requests and answers of both protocols in their shortest form, and how an error looks in each."""

from __future__ import annotations

import json
from typing import Any

from tests.compat.provider import anthropic, openai
from tests.compat.provider.plan import Plan
from tests.compat.raw import Answer
from tests.compat.shapes.requests import ANSWER, PATHS
from tests.compat.shapes.shape import Protocol
from tests.compat.shapes.streams import EVENTS_OF, write

PROTOCOLS: tuple[Protocol, ...] = ("openai", "anthropic")


def body(model: str, *, stream: bool = False, **more: Any) -> bytes:
    """Return a request that both protocols understand."""
    turns = [{"role": "user", "content": "Grüße 🚆"}]
    return json.dumps({"model": model, "max_tokens": 16, "messages": turns, "stream": stream, **more}).encode()


def streamed(protocol: Protocol) -> Plan:
    """Return a streamed answer, one chunk an event."""
    media = (("content-type", "text/event-stream; charset=utf-8"), ("x-from", "provider"))
    return Plan(headers=media, pieces=write(EVENTS_OF[protocol]), framing="chunked")


def plain(protocol: Protocol) -> Plan:
    """Return a whole answer."""
    return ANSWER[protocol]


def good(protocol: Protocol, stream: bool) -> Plan:
    """Return the one or the other."""
    return streamed(protocol) if stream else plain(protocol)


def error(protocol: Protocol, status: int, *fields: tuple[str, str]) -> Plan:
    """Return an error as the provider answers it."""
    return openai.error(status, *fields) if protocol == "openai" else anthropic.error(status, *fields)


def path(protocol: Protocol) -> str:
    """Return where its requests go."""
    return PATHS[protocol]


def told_error(protocol: Protocol, answer: Answer) -> dict[str, Any]:
    """Return the error that an answer holds, which must have the protocol's shape and media type."""
    assert (answer.header("content-type") or "").startswith("application/json"), answer
    return error_in(protocol, json.loads(answer.body))


def error_in(protocol: Protocol, value: dict[str, Any]) -> dict[str, Any]:
    """Return the error in a value, which must have the protocol's shape."""
    error: dict[str, Any] = value["error"]
    if protocol == "openai":
        assert {"message", "type", "param", "code"} <= error.keys(), value
    else:
        assert value["type"] == "error"
    assert error["message"], value
    assert error["type"], value
    return error


def flagged(protocol: Protocol, sent: bytes, answer: Answer) -> dict[str, Any]:
    """Return the error with which a stream ends that began with `sent`; fails if it could pass for a whole one."""
    assert answer.status == 200
    assert answer.body.startswith(sent)
    rest = answer.body[len(sent) :].lstrip(b"\r\n")
    lines = rest.split(b"\n")
    if protocol == "anthropic":
        assert lines.pop(0) == b"event: error", rest
    assert lines[0].startswith(b"data: "), rest
    assert lines[1:] == [b"", b""], rest
    return error_in(protocol, json.loads(lines[0][6:]))
