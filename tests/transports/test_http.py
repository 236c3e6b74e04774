"""The JSON webhook: what is posted, and what each answer means."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pointsman.model.errors import SettingsError, UsageError
from pointsman.model.outcome import Delivered, Failed, Failure
from pointsman.model.usage import Usage
from pointsman.testing.attempts import WORKER, RecordingSink, make_attempt
from pointsman.transports.http import REPLY_BYTES, HttpTransport
from tests.transports.raw_server import Request, Talk, serve

pytestmark = pytest.mark.real_loop(timeout_s=20)


async def exchange(body: bytes, status: str = "200 OK", *headers: str) -> tuple[Any, Any, Request]:
    """Send one message to a worker that answers this; return outcome, reply value and what it was sent."""
    outcome, sink, request = await exchange_into(body, status, *headers)
    return outcome, sink.value, request


async def exchange_into(body: bytes, status: str, *headers: str) -> tuple[Any, RecordingSink, Request]:
    """Do the same and return the sink instead of its value."""
    requests: list[Request] = []

    async def script(talk: Talk) -> None:
        requests.append(await talk.request())
        talk.answer(body, status, *headers)

    async with serve(script) as server:
        transport = HttpTransport(server.url + "/agents/run?x=1", max_in_flight=1, token=lambda: "t0ken")
        await transport.open()
        attempt = make_attempt("hello", number=0xABC, attempt=2)
        outcome = await transport.send(attempt)
        await transport.close()
    assert isinstance(attempt.reply, RecordingSink)
    return outcome, attempt.reply, requests[0]


async def test_the_message_is_posted_as_json_with_its_trace() -> None:
    """To the very URL, with the worker's token."""
    _, _, request = await exchange(b'{"text": "ok"}')
    assert request.line == "POST /agents/run?x=1 HTTP/1.1"
    assert request.json["id"] == f"{0xABC:032x}"
    assert request.json["attempt"] == 2
    assert request.json["text"] == "hello"
    assert dict(request.headers) == {
        "host": request.header("host"),
        "content-type": "application/json",
        "accept-encoding": "identity",
        "accept": "application/json",
        "traceparent": f"00-{0xABC:032x}-{0xABC ^ 2:016x}-01",
        "authorization": "Bearer t0ken",
        "content-length": str(len(request.body)),
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"text": "ok"}', "200 OK"),
        (b'{"plan": [1, null]}', "201 Created"),
        (b'"just a string"', "202 Accepted"),
        (b"null", "200 OK"),
        (b" 7 ", "299 Odd"),
    ],
)
async def test_any_json_with_a_good_status_is_the_reply(body: bytes, status: str) -> None:
    """Its content type does not matter: many workers get it wrong."""
    outcome, value, _ = await exchange(body, status)
    assert outcome == Delivered(WORKER)
    assert value == json.loads(body)


@pytest.mark.parametrize(
    ("status", "headers", "reason", "sent", "retry_after_s"),
    [
        ("429 Too Many Requests", ("retry-after: 3",), Failure.WORKER_BUSY, False, 3.0),
        ("503 Service Unavailable", (), Failure.WORKER_BUSY, False, None),
        ("503 S", ("retry-after: Wed, 21 Oct 2026 07:28:00 GMT",), Failure.WORKER_BUSY, False, None),
        ("529 Overloaded", ("retry-after-ms: 1500",), Failure.WORKER_BUSY, False, 1.5),
        ("400 Bad Request", (), Failure.MESSAGE_FAULT, True, None),
        ("404 Not Found", ("retry-after: 3",), Failure.MESSAGE_FAULT, True, None),
        ("422 Unprocessable Content", (), Failure.MESSAGE_FAULT, True, None),
        ("499 Odd", (), Failure.MESSAGE_FAULT, True, None),
        ("500 Internal Server Error", (), Failure.WORKER_ERROR, True, None),
        ("502 Bad Gateway", (), Failure.WORKER_ERROR, True, None),
        ("599 Odd", (), Failure.WORKER_ERROR, True, None),
        ("999 Odd", (), Failure.WORKER_ERROR, True, None),
        ("302 Found", ("location: http://elsewhere/",), Failure.WORKER_ERROR, True, None),
        ("304 Not Modified", (), Failure.WORKER_ERROR, True, None),
    ],
)
async def test_each_other_status_has_its_meaning(
    status: str, headers: tuple[str, ...], reason: Failure, sent: bool, retry_after_s: float | None
) -> None:
    """With the worker's words, the status, and its wish."""
    body = b"" if status.startswith("304") else b'{"detail": "my words"}'
    outcome, value, _ = await exchange(body, status, *headers)
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.sent, outcome.retry_after_s) == (reason, sent, retry_after_s)
    assert (outcome.status, outcome.worker, outcome.started) == (int(status[:3]), WORKER, False)
    assert ("elsewhere" if "302" in status else "nowhere" if "304" in status else "my words") in outcome.detail
    assert value is None


async def test_the_words_of_a_worker_are_cut() -> None:
    """A megabyte of explanation is none."""
    outcome, _, _ = await exchange(b"x" * 100_000, "400 Bad Request")
    assert len(outcome.detail) == 500
    outcome, _, _ = await exchange(b"x" * 2_000_000, "400 Bad Request")
    assert outcome.detail == "status 400: no explanation"


@pytest.mark.parametrize("body", [b"", b"ok", b"<html></html>", b'{"text": "cut', b'{"text": "\xff"}', b"[" * 100_000])
async def test_an_answer_that_is_no_json_is_garbage(body: bytes) -> None:
    """It says what came instead."""
    outcome, value, _ = await exchange(body)
    assert (outcome.reason, outcome.sent, outcome.status) == (Failure.WORKER_GARBAGE, True, 200)
    assert f"expected a JSON reply, got status 200 and {len(body)} bytes" in outcome.detail
    assert value is None


async def test_no_content_is_no_reply() -> None:
    """A worker that says 204 has not answered."""

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with serve(script) as server:
        transport = HttpTransport(server.url, max_in_flight=1)
        await transport.open()
        outcome = await transport.send(make_attempt())
        await transport.close()
    assert isinstance(outcome, Failed)
    assert outcome.reason is Failure.WORKER_GARBAGE


async def test_an_answer_without_end_is_garbage() -> None:
    """It is given up at 64 MiB, and not held in memory a second longer."""

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(b"HTTP/1.1 200 OK\r\n\r\n")
        chunk = b" " * 1_048_576
        for _ in range(REPLY_BYTES // len(chunk) + 64):
            talk.send(chunk)
            await talk.drain()
        raise AssertionError("the client read on")

    async with serve(script) as server:
        transport = HttpTransport(server.url, max_in_flight=1)
        await transport.open()
        outcome = await transport.send(make_attempt())
        assert isinstance(outcome, Failed)
        assert outcome.reason is Failure.WORKER_GARBAGE
        assert str(REPLY_BYTES) in outcome.detail
        await transport.close()


async def test_the_token_is_asked_for_each_message() -> None:
    """So that a changed one is used."""
    seen: list[str | None] = []

    async def script(talk: Talk) -> None:
        while True:
            seen.append((await talk.request()).header("authorization"))
            talk.answer(b"{}")

    tokens = iter(["one", "two"])
    async with serve(script) as server:
        transport = HttpTransport(server.url, max_in_flight=1, token=lambda: next(tokens))
        await transport.open()
        for _ in range(2):
            await transport.send(make_attempt())
        await transport.close()
    assert seen == ["Bearer one", "Bearer two"]


async def test_a_token_that_cannot_be_sent_is_our_fault_and_stays_secret() -> None:
    """A stray line end, for instance."""
    transport = HttpTransport("http://127.0.0.1:9", max_in_flight=1, token=lambda: "s3cret\n")
    await transport.open()
    outcome = await transport.send(make_attempt())
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.sent) == (Failure.ROUTER_ERROR, False)
    assert "authorization" in outcome.detail
    assert "s3cret" not in outcome.detail
    await transport.close()


async def test_a_token_that_has_gone_missing_is_our_fault() -> None:
    """Its file, for instance; the message is not lost, and no worker is troubled."""

    def token() -> str:
        raise SettingsError(["pools.coders.workers.0.auth: file key.txt is missing"])

    transport = HttpTransport("http://127.0.0.1:9", max_in_flight=1, token=token)
    await transport.open()
    outcome = await transport.send(make_attempt())
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.sent) == (Failure.ROUTER_ERROR, False)
    assert "key.txt is missing" in outcome.detail
    await transport.close()


async def test_a_url_that_cannot_be_used_is_refused_when_it_is_given() -> None:
    """Not with the first message."""
    with pytest.raises(UsageError):
        HttpTransport("ftp://worker", max_in_flight=1)


async def test_a_refused_message_keeps_the_workers_status_and_words() -> None:
    """A 4xx ends the message, so its sender gets what the worker said; a 5xx is tried again and leaves no trace."""
    _, sink, _ = await exchange_into(b'{"error": "no such repository"}', "422 Unprocessable Content")
    assert (sink.status, sink.body) == (422, b'{"error": "no such repository"}')
    _, sink, _ = await exchange_into(b'{"error": "later"}', "500 Oops")
    assert (sink.status, sink.chunks) == (0, [])


async def test_a_worker_that_wants_a_key_is_set_up_wrongly() -> None:
    """No sender has one to give; its words may quote the one it got."""
    outcome, sink, _ = await exchange_into(b'{"error": "bad token t0ken"}', "401 Unauthorized")
    assert (outcome.reason, outcome.sent) == (Failure.WORKER_ERROR, False)
    assert "t0ken" not in outcome.detail
    assert sink.status == 0


async def test_what_a_worker_says_it_took_is_taken_down() -> None:
    """And its headers are heard, also of a refusal."""
    for status, usage in (("200 OK", Usage(3, 0, 0, 4)), ("503 Busy", None)):

        async def script(talk: Talk, status: str = status) -> None:
            await talk.request()
            talk.answer(b'{"text": "x", "usage": {"input_tokens": 3, "output_tokens": 4}}', status, "x-a: 1")

        async with serve(script) as server:
            transport = HttpTransport(server.url, max_in_flight=1)
            await transport.open()
            attempt = make_attempt()
            await transport.send(attempt)
            await transport.close()
        assert attempt.usage == usage
        assert ("x-a", "1") in attempt.provider_headers
