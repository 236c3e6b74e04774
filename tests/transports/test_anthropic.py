"""What is particular to the Anthropic protocol: native messages put into it, counts of tokens, what is an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pointsman.model.message import Message
from pointsman.model.outcome import Delivered, Failure
from pointsman.model.usage import Usage
from pointsman.testing.attempts import WORKER, make_attempt
from pointsman.transports.anthropic import MAX_TOKENS, AnthropicApi
from pointsman.transports.model_api import Piece
from tests.transports.model_worker import as_json, compatible, send

pytestmark = pytest.mark.real_loop(timeout_s=20)

MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "abc"},
        {"type": "text", "text": "Par"},
        {"type": "tool_use", "id": "t", "name": "n", "input": {}},
        {"type": "something_new", "text": "no"},
        {"type": "text", "text": "is", "citations": None},
    ],
    "model": "claude-x-2026",
    "usage": {"input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 1},
}


async def exchange(attempt: Any, message: Any) -> Any:
    """Send an attempt to a worker that answers this."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return await send("anthropic", attempt, as_json(body), token=lambda: "k3y")


async def test_a_native_message_becomes_a_request_and_its_text_the_reply() -> None:
    """With the worker's model and key, the API's version, and the length that the API wants named."""
    attempt = make_attempt()
    params = {"temperature": 0.2, "model": "sneaky", "stream": True}
    attempt.envelope.message = Message(text="capital of France?", params=params)
    sent = await exchange(attempt, MESSAGE)
    assert sent.outcome == Delivered(WORKER)
    assert sent.sink.value == {"text": "Paris", "usage": MESSAGE["usage"], "model": "claude-x-2026"}
    request = sent.requests[0]
    assert request.line == "POST /v1/messages HTTP/1.1"
    assert (request.header("x-api-key"), request.header("authorization")) == ("k3y", None)
    assert request.header("anthropic-version") == "2023-06-01"
    assert request.json == {
        "max_tokens": MAX_TOKENS,
        "temperature": 0.2,
        "model": "gpt-x",
        "messages": [{"role": "user", "content": "capital of France?"}],
        "stream": False,
    }
    assert sent.attempt.usage == Usage(7, 2, 0, 1)


TURNS: list[dict[str, Any]] = [
    {"role": "system", "content": "be short"},
    {"role": "user", "content": "hi"},
    {"role": "developer", "content": [{"type": "text", "text": "be kind"}]},
    {"role": "assistant", "content": [{"type": "text", "text": "hello"}]},
    {"role": "system", "content": None},
]
GIVEN = {"type": "text", "text": "given", "cache_control": {"type": "ephemeral"}}


@pytest.mark.parametrize(
    ("params", "system"),
    [
        ({}, ["be short", "be kind"]),
        ({"system": "given"}, ["given", "be short", "be kind"]),
        ({"system": [GIVEN]}, [GIVEN, "be short", "be kind"]),
        ({"system": ""}, ["be short", "be kind"]),
    ],
)
async def test_instructions_among_the_turns_go_beside_them(params: dict[str, Any], system: list[Any]) -> None:
    """In their order, behind those that the params hold."""
    attempt = make_attempt()
    attempt.envelope.message = Message(messages=TURNS, params={**params, "max_tokens": 9})
    request = (await exchange(attempt, MESSAGE)).requests[0].json
    assert request["messages"] == [TURNS[1], TURNS[3]]
    assert request["system"] == [{"type": "text", "text": one} if isinstance(one, str) else one for one in system]
    assert request["max_tokens"] == 9


async def test_turns_without_instructions_bring_none() -> None:
    """And leave those of the params alone."""
    attempt = make_attempt()
    attempt.envelope.message = Message(messages=[TURNS[1]], params={"system": "given"})
    assert (await exchange(attempt, MESSAGE)).requests[0].json["system"] == "given"
    attempt.envelope.message = Message(messages=[TURNS[1]])
    assert "system" not in (await exchange(attempt, MESSAGE)).requests[0].json


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"{}",
        b"[]",
        b'{"content": {}}',
        b'{"content": [7]}',
        b'{"content": [{}]}',
        b'{"content": ' + b"[" * 9999,
    ],
)
async def test_an_answer_that_is_no_message_is_garbage(body: bytes) -> None:
    """Where the text is needed."""
    sent = await exchange(make_attempt(), body)
    assert (sent.outcome.reason, sent.outcome.sent) == (Failure.WORKER_GARBAGE, True)
    assert "expected a message with content" in sent.outcome.detail
    assert sent.sink.value is None


@pytest.mark.parametrize("endpoint", ["/messages/count_tokens", "/messages/count_tokens?beta=true"])
async def test_a_count_of_tokens_passes_and_takes_none(endpoint: str) -> None:
    """It is no message, and a message is none of it."""
    sent = await exchange(compatible("anthropic", endpoint=endpoint), b'{"input_tokens": 14}')
    assert sent.outcome == Delivered(WORKER)
    assert sent.sink.body == b'{"input_tokens": 14}'
    assert sent.attempt.usage == Usage()
    sent = await exchange(compatible("anthropic", endpoint=endpoint), MESSAGE)
    assert sent.outcome.reason is Failure.WORKER_GARBAGE
    assert "expected a count of tokens" in sent.outcome.detail


@pytest.mark.parametrize(
    ("data", "piece"),
    [
        (b'{"type":"message_start","message":{"model":"m","content":[]}}', Piece("", "m")),
        (b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Par"}}', Piece("Par")),
        (b'{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}', Piece()),
        (b'{"type":"content_block_delta","delta":{"type":"text_delta","text":null}}', Piece()),
        (b'{"type":"message_delta","delta":{"stop_reason":"end_turn"}}', Piece()),
        (b'{"type":"ping"}', Piece()),
        (b'{"type":"something_new","delta":null}', Piece()),
    ],
)
def test_an_event_adds_its_text(data: bytes, piece: Piece) -> None:
    """Thoughts, pings and what is not known yet add nothing."""
    assert AnthropicApi().tell_event(data) == piece


@pytest.mark.parametrize("data", [b"", b"[DONE]", b"[1]", b'{"delta":{"type":"text_delta","text":1}}'])
def test_what_is_no_event_is_refused(data: bytes) -> None:
    """By what was expected."""
    with pytest.raises(ValueError, match="expected an event of a message"):
        AnthropicApi().tell_event(data)
