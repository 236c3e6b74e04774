"""What is particular to the OpenAI protocol: native messages put into it, embeddings, and what counts as an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pointsman.core.usage import Figures
from pointsman.model.message import Message
from pointsman.model.outcome import Delivered, Failure
from pointsman.model.usage import Usage
from pointsman.testing.attempts import WORKER, make_attempt
from pointsman.transports.model_api import Piece
from pointsman.transports.openai import OpenAIApi
from tests.transports.model_worker import as_json, compatible, guess, send

pytestmark = pytest.mark.real_loop(timeout_s=20)

COMPLETION = {
    "id": "c-1",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}],
    "model": "gpt-x-2026",
    "usage": {"prompt_tokens": 5, "completion_tokens": 1},
}


async def exchange(attempt: Any, completion: Any) -> Any:
    """Send an attempt to a worker that answers this."""
    body = completion if isinstance(completion, bytes) else json.dumps(completion).encode()
    return await send("openai", attempt, as_json(body), token=lambda: "k3y")


async def test_a_native_message_becomes_a_request_and_its_text_the_reply() -> None:
    """With the worker's model, the message's params, the worker's key and the trace."""
    attempt = make_attempt(number=3)
    params = {"temperature": 0.2, "model": "sneaky", "stream": True}
    attempt.envelope.message = Message(text="capital of France?", params=params)
    sent = await exchange(attempt, COMPLETION)
    assert sent.outcome == Delivered(WORKER)
    assert sent.sink.value == {"text": "Paris", "usage": COMPLETION["usage"], "model": "gpt-x-2026"}
    request = sent.requests[0]
    assert request.line == "POST /v1/chat/completions HTTP/1.1"
    assert request.header("authorization") == "Bearer k3y"
    assert request.header("traceparent") == f"00-{3:032x}-{3 ^ 1:016x}-01"
    assert request.json == {
        "temperature": 0.2,
        "model": "gpt-x",
        "messages": [{"role": "user", "content": "capital of France?"}],
        "stream": False,
    }
    assert sent.attempt.usage == Usage(5, 0, 0, 1)


async def test_a_chat_list_is_passed_on() -> None:
    """Instead of the text."""
    chat: list[dict[str, Any]] = [
        {"role": "system", "content": "be short"},
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
    ]
    attempt = make_attempt()
    attempt.envelope.message = Message(messages=chat)
    sent = await exchange(attempt, COMPLETION)
    assert sent.requests[0].json["messages"] == chat


async def test_a_stream_is_asked_for_with_its_account() -> None:
    """Unless the sender says what account it wants."""
    sent = await exchange(make_attempt(stream=True), COMPLETION)
    assert sent.requests[0].json["stream"] is True
    assert sent.requests[0].json["stream_options"] == {"include_usage": True}
    sent = await exchange(make_attempt(stream=True, stream_options={}), COMPLETION)
    assert sent.requests[0].json["stream_options"] == {}


@pytest.mark.parametrize(
    ("completion", "reply"),
    [
        ({"choices": [{"message": {"content": None, "tool_calls": []}}]}, {"text": "", "usage": None, "model": None}),
        ({"choices": [{"message": {}}, {"message": {"content": "2"}}]}, {"text": "", "usage": None, "model": None}),
        ({"choices": [{"message": {}}], "usage": "odd"}, {"text": "", "usage": "odd", "model": None}),
    ],
)
async def test_a_choice_without_text_is_an_empty_text(completion: Any, reply: Any) -> None:
    """A worker that only calls tools has said nothing."""
    sent = await exchange(make_attempt(), completion)
    assert sent.outcome == Delivered(WORKER)
    assert sent.sink.value == reply
    assert sent.attempt.usage.estimated


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"{}",
        b"[]",
        b'{"choices": []}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": {"content": 7}}]}',
        b'{"choices": [{"message": {"content": "\xff"}}]}',
        b'{"choices": ' + b"[" * 100_000,
        b'data: {"choices": []}\n\n',
    ],
)
async def test_an_answer_that_is_no_completion_is_garbage(body: bytes) -> None:
    """Where the text is needed."""
    sent = await exchange(make_attempt(), body)
    assert (sent.outcome.reason, sent.outcome.sent) == (Failure.WORKER_GARBAGE, True)
    assert "expected a chat completion with a choice" in sent.outcome.detail
    assert sent.sink.value is None


@pytest.mark.parametrize("endpoint", ["/embeddings", "/embeddings?a=b"])
async def test_embeddings_pass_and_take_input_only(endpoint: str) -> None:
    """They are no completion, and a completion is none of them."""
    body = b'{"object":"list","data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":8,"total_tokens":8}}'
    sent = await exchange(compatible("openai", endpoint=endpoint, body=b'{"input":"x"}'), body)
    assert sent.outcome == Delivered(WORKER)
    assert sent.sink.body == body
    assert sent.requests[0].body == b'{"model":"gpt-x","input":"x"}'
    assert sent.attempt.usage == Usage(8, 0, 0, 0)
    sent = await exchange(compatible("openai", endpoint=endpoint), COMPLETION)
    assert sent.outcome.reason is Failure.WORKER_GARBAGE
    assert "expected embeddings" in sent.outcome.detail


async def test_embeddings_that_nobody_counted_are_guessed() -> None:
    """By what was asked."""
    sent = await exchange(compatible("openai", endpoint="/embeddings", body=b'{"input":"12345678"}'), b'{"data":[]}')
    assert sent.attempt.usage == Usage(guess(sent.attempt), 0, 0, 0, estimated=True)


@pytest.mark.parametrize(
    ("data", "piece"),
    [
        (b"[DONE]", Piece()),
        (b'{"choices":[{"index":0,"delta":{"content":"Par"}}],"model":"m"}', Piece("Par", "m")),
        (b'{"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"yes"}}]}', Piece("yes")),
        (b'{"choices":[{"delta":{"content":null,"tool_calls":[]}}]}', Piece()),
        (b'{"choices":[{"index":0,"delta":null}]}', Piece()),
        (b'{"choices":[],"usage":{}}', Piece()),
        (b'{"choices":null}', Piece()),
        (b"{}", Piece()),
    ],
)
def test_a_chunk_adds_to_the_text_of_the_first_choice(data: bytes, piece: Piece) -> None:
    """What else it may hold adds nothing."""
    assert OpenAIApi().tell_event(data) == piece


@pytest.mark.parametrize("data", [b"", b"hello", b"[1]", b'{"choices":[{"delta":{"content":1}}]}', b"[" * 100_000])
def test_what_is_no_chunk_is_refused(data: bytes) -> None:
    """By what was expected."""
    with pytest.raises(ValueError, match="expected a chunk of a chat completion"):
        OpenAIApi().tell_event(data)


def test_the_account_of_an_answer_is_read_with_its_shape() -> None:
    """One look at the whole."""
    assert OpenAIApi().read_whole("/chat/completions", json.dumps(COMPLETION).encode()) == Figures(5, 1)
