"""Chat completions: a native message's request and reply, and a compatible client's bytes relayed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from pointsman.model.message import Message
from pointsman.model.outcome import Delivered, Failed, Failure
from pointsman.ports import Attempt
from pointsman.testing.attempts import WORKER, RecordingSink, make_attempt
from pointsman.transports.http import REPLY_BYTES
from pointsman.transports.openai import OpenAITransport
from tests.transports.raw_server import Request, Talk, serve

pytestmark = pytest.mark.real_loop(timeout_s=20)

COMPLETION = {
    "id": "c-1",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}],
    "model": "gpt-x-2026",
    "usage": {"prompt_tokens": 5, "completion_tokens": 1},
}


async def exchange(attempt: Attempt, body: bytes, status: str = "200 OK", *headers: str, path: str = "/v1") -> Any:
    """Send an attempt to a worker that answers this; return the outcome, the sink and what it was sent."""
    requests: list[Request] = []

    async def script(talk: Talk) -> None:
        requests.append(await talk.request())
        talk.answer(body, status, *headers)

    async with serve(script) as server:
        transport = OpenAITransport(server.url + path, model="gpt-x", max_in_flight=1, token=lambda: "k3y")
        await transport.open()
        outcome = await transport.send(attempt)
        await transport.close()
    assert isinstance(attempt.reply, RecordingSink)
    return outcome, attempt.reply, requests[0] if requests else None


async def test_a_native_message_becomes_a_request_and_its_text_the_reply() -> None:
    """With the worker's model, the message's params, the worker's key and the trace."""
    attempt = make_attempt("capital of France?", number=3, temperature=0.2, model="sneaky", stream=True)
    outcome, sink, request = await exchange(attempt, json.dumps(COMPLETION).encode())
    assert outcome == Delivered(WORKER)
    assert sink.value == {"text": "Paris", "usage": COMPLETION["usage"], "model": "gpt-x-2026"}
    assert request.line == "POST /v1/chat/completions HTTP/1.1"
    assert request.header("authorization") == "Bearer k3y"
    assert request.header("traceparent") == f"00-{3:032x}-{3 ^ 1:016x}-01"
    assert request.json == {
        "temperature": 0.2,
        "model": "gpt-x",
        "messages": [{"role": "user", "content": "capital of France?"}],
        "stream": False,
    }


async def test_a_chat_list_is_passed_on() -> None:
    """Instead of the text."""
    chat: list[dict[str, Any]] = [
        {"role": "system", "content": "be short"},
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
    ]
    attempt = make_attempt()
    attempt.envelope.message = Message(messages=chat)
    _, _, request = await exchange(attempt, json.dumps(COMPLETION).encode())
    assert request.json["messages"] == chat


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("/v1", "/v1/chat/completions"),
        ("/v1/", "/v1/chat/completions"),
        ("/api/openai/v2?api-version=7", "/api/openai/v2/chat/completions?api-version=7"),
    ],
)
async def test_the_url_is_what_openai_clients_call_the_base_url(path: str, target: str) -> None:
    """Without a path it is completed."""
    _, _, request = await exchange(make_attempt(), json.dumps(COMPLETION).encode(), path=path)
    assert request.line == f"POST {target} HTTP/1.1"


@pytest.mark.parametrize(
    ("completion", "reply"),
    [
        ({"choices": [{"message": {"content": None, "tool_calls": []}}]}, {"text": "", "usage": None, "model": None}),
        ({"choices": [{"message": {}}, {"message": {"content": "2"}}]}, {"text": "", "usage": None, "model": None}),
    ],
)
async def test_a_choice_without_text_is_an_empty_text(completion: Any, reply: Any) -> None:
    """A worker that only calls tools has said nothing."""
    outcome, sink, _ = await exchange(make_attempt(), json.dumps(completion).encode())
    assert outcome == Delivered(WORKER)
    assert sink.value == reply


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
    outcome, sink, _ = await exchange(make_attempt(), body)
    assert (outcome.reason, outcome.sent) == (Failure.WORKER_GARBAGE, True)
    assert "expected a chat completion with a choice" in outcome.detail
    assert sink.value is None


BODY = b'{ "messages" : [{"role":"user","content":"caf\xc3\xa9"}],\n "model":"auto", "seed": 1.0, "x": {"model": 1} }'


async def test_a_compatible_request_passes_unchanged_but_for_its_model() -> None:
    """And the answer's bytes come back as they are, with their status and type."""
    answer = b'{"choices" : [ ] , "odd":1.0}\n'
    attempt = make_attempt(body=BODY)
    outcome, sink, request = await exchange(
        attempt, answer, "201 Created", "content-type: application/json; charset=utf-8", "x-other: 1"
    )
    assert outcome == Delivered(WORKER)
    assert request.body == BODY.replace(b'"auto"', b'"gpt-x"')
    assert sink.body == answer
    assert (sink.status, sink.headers) == (201, (("content-type", "application/json; charset=utf-8"),))
    assert sink.value is None


async def test_a_relayed_answer_says_how_it_is_coded() -> None:
    """We ask for no coding, but a worker that uses one all the same must be understood."""
    _, sink, _ = await exchange(make_attempt(body=BODY), b"\x1f\x8b", "200 OK", "content-encoding: gzip")
    assert sink.headers == (("content-encoding", "gzip"),)


async def test_bytes_are_relayed_as_they_come() -> None:
    """The worker sends the next part only when the last has reached the sink."""
    relayed = asyncio.Semaphore(0)

    class Sink(RecordingSink):
        async def write(self, chunk: bytes) -> None:
            await super().write(chunk)
            relayed.release()

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for part in (b"data: 1\n\n", b"data: 2\n\n"):
            talk.send(b"%x\r\n%b\r\n" % (len(part), part))
            await relayed.acquire()
        talk.send(b"0\r\n\r\n")

    async with serve(script) as server:
        transport = OpenAITransport(server.url, model="m", max_in_flight=1)
        await transport.open()
        attempt = make_attempt(body=BODY)
        attempt.reply = sink = Sink()
        assert await transport.send(attempt) == Delivered(WORKER)
        assert sink.chunks == [b"data: 1\n\n", b"data: 2\n\n"]
        await transport.close()


@pytest.mark.parametrize(("started", "size"), [(False, 100), (True, 100)])
async def test_a_relay_cut_short_is_told_apart(started: bool, size: int) -> None:
    """And whether its sender has seen a part, so that nobody tries again."""

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"abc")
        talk.close()

    async with serve(script) as server:
        transport = OpenAITransport(server.url, model="m", max_in_flight=1)
        await transport.open()
        attempt = make_attempt(body=BODY)
        attempt.reply.started = started  # type: ignore[misc]
        outcome = await transport.send(attempt)
        await transport.close()
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.sent, outcome.started) == (Failure.WORKER_CLOSED, True, started)


async def test_a_relay_without_end_is_given_up() -> None:
    """At 64 MiB, like any other reply."""

    class Sink(RecordingSink):
        async def write(self, chunk: bytes) -> None:
            pass

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(REPLY_BYTES // 1_048_576 + 64):
            talk.send(b" " * 1_048_576)
            await talk.drain()
        raise AssertionError("the client read on")

    async with serve(script) as server:
        transport = OpenAITransport(server.url, model="m", max_in_flight=1)
        await transport.open()
        attempt = make_attempt(body=BODY)
        attempt.reply = Sink()
        outcome = await transport.send(attempt)
        await transport.close()
    assert isinstance(outcome, Failed)
    assert outcome.reason is Failure.WORKER_GARBAGE


async def test_an_error_that_ends_the_message_is_relayed() -> None:
    """Status, type and bytes; the failure carries the worker's words."""
    error = b'{"error": {"message": "max_tokens is too large", "type": "invalid_request_error"}}'
    outcome, sink, _ = await exchange(
        make_attempt(body=BODY), error, "400 Bad Request", "content-type: application/json"
    )
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.status) == (Failure.MESSAGE_FAULT, 400)
    assert outcome.detail == "status 400: max_tokens is too large"
    assert (sink.status, sink.body) == (400, error)
    assert sink.headers == (("content-type", "application/json"),)


@pytest.mark.parametrize("status", ["429 T", "503 S", "500 I", "502 B"])
async def test_an_error_that_does_not_end_it_is_not(status: str) -> None:
    """Another attempt may answer instead."""
    outcome, sink, _ = await exchange(make_attempt(body=BODY), b'{"error": "x"}', status)
    assert isinstance(outcome, Failed)
    assert (sink.status, sink.body) == (0, b"")


async def test_a_native_messages_error_is_relayed_too():
    """Its sender gets the worker's own status and words, in an answer of our own."""
    outcome, sink, _ = await exchange(make_attempt(), b'{"error": {"message": "too long"}}', "400 Bad Request")
    assert outcome.detail == "status 400: too long"
    assert (sink.status, sink.body, sink.value) == (400, b'{"error": {"message": "too long"}}', None)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"model": ', b"hello"])
async def test_a_body_that_is_no_request_troubles_no_worker(body: bytes) -> None:
    """It is the message's fault."""
    outcome, _, request = await exchange(make_attempt(body=body), b"{}")
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.sent) == (Failure.MESSAGE_FAULT, False)
    assert request is None


@pytest.mark.parametrize("body", [b"\x00\xff not json{{{", b"null", b"[1, 2]", b"[" * 200_000, b'{"text": "hi"}', b""])
async def test_what_is_no_completion_is_garbage_for_those_who_speak_the_protocol_too(body: bytes) -> None:
    """A client must not be told 200 with something that its library cannot read; another worker is tried instead."""
    outcome, _, _ = await exchange(make_attempt(body=BODY), body, "200 OK", "content-type: application/json")
    assert isinstance(outcome, Failed)
    assert outcome.reason is Failure.WORKER_GARBAGE
