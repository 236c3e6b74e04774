"""A worker's answer on its way to a client of the same protocol: byte for byte, and how its end is told."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.model.outcome import Delivered, Failed, Failure
from pointsman.model.usage import Usage
from pointsman.testing.attempts import WORKER, LiveSink, RecordingSink
from pointsman.transports.http import REPLY_BYTES
from pointsman.transports.relay import passing
from tests.answer_streams import anthropic, data, openai, whole
from tests.transports.model_worker import (
    STREAM_HEAD,
    answer,
    as_json,
    compatible,
    guess,
    in_events,
    send,
    worker,
)
from tests.transports.raw_server import Talk

pytestmark = pytest.mark.real_loop(timeout_s=20)

both = pytest.mark.parametrize("protocol", ["openai", "anthropic"])
SAID = {
    "openai": {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}},
    "anthropic": {"input_tokens": 1, "cache_read_input_tokens": 4, "output_tokens": 2},
}
TOOK = Usage(5, 4, 0, 2)


def stream(protocol: str, *texts: str, end: bool = True) -> bytes:
    """A streamed answer, whole or cut."""
    if protocol == "openai":
        return openai(*texts, usage=SAID[protocol]) if end else openai(*texts, end=False)
    return anthropic(*texts, start=SAID[protocol], last={"output_tokens": 2} if end else None, end=end)


@both
async def test_a_streamed_answer_is_passed_on_and_accounted_for(protocol: str) -> None:
    """Its bytes, its headers, when its first byte came, and what it took."""
    events = stream(protocol, "Par", "is")
    loop = asyncio.get_running_loop()
    before = loop.time()
    sent = await send(protocol, compatible(protocol, stream=True), in_events(events[:50], events[50:90], events[90:]))
    assert sent.outcome == Delivered(WORKER)
    assert (sent.sink.body, sent.sink.status) == (events, 200)
    assert sent.sink.headers == (("content-type", "text/event-stream; charset=utf-8"),)
    assert sent.attempt.usage == TOOK
    assert sent.attempt.first_token_at is not None
    assert before <= sent.attempt.first_token_at <= loop.time()


@both
async def test_bytes_are_passed_on_as_they_come(protocol: str) -> None:
    """The worker sends the next part only when the last has reached the sink."""
    relayed = asyncio.Semaphore(0)

    class Sink(LiveSink):
        async def write(self, chunk: bytes) -> None:
            await super().write(chunk)
            relayed.release()

    events = stream(protocol, "a", "b")
    parts = [events[:3], events[3:100], events[100:]]

    async def script(talk: Talk) -> None:
        talk.send(STREAM_HEAD)
        for part in parts:
            talk.send(b"%x\r\n%b\r\n" % (len(part), part))
            await relayed.acquire()
        talk.send(b"0\r\n\r\n")

    attempt = compatible(protocol, stream=True)
    attempt.reply = Sink()
    sent = await send(protocol, attempt, script)
    assert sent.outcome == Delivered(WORKER)
    assert sent.sink.chunks == parts


@both
@pytest.mark.parametrize("refused", [set(), {1}, {2, 3}, {1, 2, 3, 4}])
async def test_a_sink_that_takes_bytes_at_once_gets_each_once_and_in_order(protocol: str, refused: set[int]) -> None:
    """Also where it is too slow for that in between; what counts tokens sees them all."""
    relayed = asyncio.Semaphore(0)

    class Sink(LiveSink):
        waited = 0

        async def write(self, chunk: bytes) -> None:
            await super().write(chunk)
            self.waited += 1
            relayed.release()

        def write_now(self, chunk: bytes) -> bool:
            if len(self.chunks) in refused:
                return False
            self.chunks.append(chunk)
            relayed.release()
            return True

    events = stream(protocol, "a", "b")
    parts = [events[:3], events[3:90], events[90:91], events[91:140], events[140:]]

    async def script(talk: Talk) -> None:
        talk.send(STREAM_HEAD)
        for part in parts:
            talk.send(b"%x\r\n%b\r\n" % (len(part), part))
            await relayed.acquire()
        talk.send(b"0\r\n\r\n")

    attempt = compatible(protocol, stream=True)
    attempt.reply = sink = Sink()
    sent = await send(protocol, attempt, script)
    assert sent.outcome == Delivered(WORKER)
    assert sent.sink.chunks == parts
    assert sent.attempt.usage == TOOK
    assert sink.waited == 1 + len(refused)


async def test_a_slow_client_slows_the_worker_down() -> None:
    """What it has not taken waits at the worker, not here."""
    taken, go_on = asyncio.Event(), asyncio.Event()

    class Sink(LiveSink):
        async def write(self, chunk: bytes) -> None:
            taken.set()
            await go_on.wait()

    sent_bytes = 0

    async def script(talk: Talk) -> None:
        nonlocal sent_bytes
        talk.send(STREAM_HEAD)
        piece = openai("x" * 60_000, end=False)
        for _ in range(1000):
            talk.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            sent_bytes += len(piece)
            if go_on.is_set():
                break
            await talk.drain()
        talk.send(in_events(openai())[len(STREAM_HEAD) :])

    attempt = compatible("openai", stream=True)
    attempt.reply = Sink()
    task = asyncio.get_running_loop().create_task(send("openai", attempt, script))
    await taken.wait()
    before = -1
    while sent_bytes > before:  # Until the worker is stuck; a socket's buffer has no event of its own.
        before = sent_bytes
        for _ in range(100):
            await asyncio.sleep(0)
    assert sent_bytes < 30_000_000
    go_on.set()
    assert (await task).outcome == Delivered(WORKER)


CHUNKS = st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=12)


@given(CHUNKS, st.sampled_from(["openai", "anthropic"]))
@settings(max_examples=40)
async def test_any_bytes_in_any_chunks_reach_the_client_unchanged(chunks: list[bytes], protocol: str) -> None:
    """Whatever they mean, or do not; after them the end of the stream is judged."""
    sent = await send(protocol, compatible(protocol, stream=True), in_events(*chunks))
    if sent.sink.status == 200:
        assert sent.sink.body == b"".join(chunks)
    assert isinstance(sent.outcome, Delivered | Failed)
    assert sent.attempt.usage is not None


@both
@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("how", ["closed", "reset", "ended"])
async def test_a_stream_that_is_cut_is_told_apart(protocol: str, live: bool, how: str) -> None:
    """Also where HTTP sees a proper end: the last event never came. It is charged for what came."""
    events = stream(protocol, "12345678", "1234", end=False)
    seen = asyncio.Event()

    class Sink(LiveSink if live else RecordingSink):  # type: ignore[misc]
        async def write(self, chunk: bytes) -> None:
            await super().write(chunk)
            seen.set()

    async def script(talk: Talk) -> None:
        talk.send(in_events(events, end=how == "ended"))
        await seen.wait()
        if how == "closed":
            talk.close()
        elif how == "reset":
            talk.reset()

    attempt = compatible(protocol, stream=True)
    attempt.reply = Sink()
    sent = await send(protocol, attempt, script)
    outcome = sent.outcome
    assert (outcome.reason, outcome.sent, outcome.started) == (Failure.WORKER_CLOSED, True, live)
    assert sent.sink.body == events
    of_input = (guess(sent.attempt), 0) if protocol == "openai" else (5, 4)
    assert sent.attempt.usage == Usage(*of_input, 0, 3, estimated=True)


@both
async def test_what_happens_behind_the_last_event_is_no_matter(protocol: str) -> None:
    """The answer is whole: a connection that breaks then has cut nothing."""

    async def script(talk: Talk) -> None:
        talk.send(in_events(stream(protocol, "x"), end=False))
        talk.close()

    sent = await send(protocol, compatible(protocol, stream=True), script)
    assert sent.outcome == Delivered(WORKER)
    assert sent.attempt.usage == TOOK


async def test_a_reason_to_end_is_enough_where_the_stream_ends_properly() -> None:
    """Some servers leave [DONE] away; but where the connection breaks, something may be missing."""
    events = openai("x").removesuffix(b"data: [DONE]\n\n")
    sent = await send("openai", compatible("openai", stream=True), in_events(events))
    assert sent.outcome == Delivered(WORKER)

    async def script(talk: Talk) -> None:
        talk.send(in_events(events, end=False))
        talk.close()

    sent = await send("openai", compatible("openai", stream=True), script)
    assert sent.outcome.reason is Failure.WORKER_CLOSED


@both
async def test_a_stream_without_a_byte_is_cut(protocol: str) -> None:
    """Nothing was shown, so another worker may answer."""
    sent = await send(protocol, compatible(protocol, stream=True), in_events())
    assert (sent.outcome.reason, sent.outcome.started, sent.sink.status) == (Failure.WORKER_CLOSED, False, 0)
    assert sent.attempt.usage == Usage(guess(sent.attempt), estimated=True)


def error_event(protocol: str, kind: str, **more: Any) -> bytes:
    """An error within a stream."""
    error = {"type": kind, "message": "my words", **more}
    event = {"error": error} if protocol == "openai" else {"type": "error", "error": error}
    return (b"event: error\n" if protocol == "anthropic" else b"") + data(event)


@both
@pytest.mark.parametrize("after", [b"", b"data: [DONE]\n\n"])
async def test_an_error_within_a_stream_is_passed_on_and_is_the_workers(protocol: str, after: bytes) -> None:
    """The client has been told by the worker itself; WORKER_ERROR with `started` says so."""
    events = stream(protocol, "Par", end=False)
    error = error_event(protocol, "overloaded_error") + after
    seen = asyncio.Event()

    class Sink(LiveSink):
        async def write(self, chunk: bytes) -> None:
            await super().write(chunk)
            seen.set()

    async def script(talk: Talk) -> None:
        talk.send(in_events(events, end=False))
        await seen.wait()
        talk.send(in_events(error).removeprefix(STREAM_HEAD))

    attempt = compatible(protocol, stream=True)
    attempt.reply = Sink()
    sent = await send(protocol, attempt, script)
    outcome = sent.outcome
    assert (outcome.reason, outcome.sent) == (Failure.WORKER_ERROR, True)
    assert "my words" in outcome.detail
    assert sent.sink.body == events + error
    assert sent.attempt.usage is not None
    assert sent.attempt.usage.output_tokens == 1


@both
@pytest.mark.parametrize(
    ("kind", "more", "reason", "sent", "status"),
    [
        ("overloaded_error", {}, Failure.WORKER_BUSY, False, 529),
        ("rate_limit_error", {}, Failure.WORKER_BUSY, False, 429),
        ("x", {"code": "rate_limit_exceeded"}, Failure.WORKER_BUSY, False, 429),
        ("BadRequestError", {"code": 400}, Failure.MESSAGE_FAULT, True, 400),
        ("api_error", {}, Failure.WORKER_ERROR, True, 500),
        ("server_error", {"code": 200}, Failure.WORKER_ERROR, True, 502),
        ("server_error", {"code": ["x"]}, Failure.WORKER_ERROR, True, 502),
        ("\ud800", {}, Failure.WORKER_ERROR, True, 502),
    ],
)
async def test_an_error_that_comes_first_is_the_refusal_it_is(
    protocol: str, kind: str, more: Any, reason: Failure, sent: bool, status: int
) -> None:
    """Nothing was shown, so another worker may answer; if none does, the client gets it with a status of its own."""
    event = error_event(protocol, kind, **more)
    reply = in_events(event).replace(b"\r\ntransfer", b"\r\nretry-after: 3\r\nrequest-id: r1\r\ntransfer", 1)
    got = await send(protocol, compatible(protocol, stream=True), reply)
    outcome = got.outcome
    assert (outcome.reason, outcome.sent, outcome.started, outcome.status) == (reason, sent, False, status)
    assert outcome.retry_after_s == (3.0 if reason is Failure.WORKER_BUSY else None)
    assert (got.sink.status, got.sink.started) == (status, False)
    assert json.loads(got.sink.body)["error"]["message"] == "my words"
    assert dict(got.sink.headers) == {"content-type": "application/json", "request-id": "r1", "retry-after": "3"}
    assert got.attempt.usage is None


@both
async def test_a_cancelled_stream_is_charged_for_what_came_and_closes(protocol: str) -> None:
    """At both ends, at once."""
    events = stream(protocol, "12345678", end=False)
    seen, closed = asyncio.Event(), asyncio.Event()

    class Sink(LiveSink):
        async def write(self, chunk: bytes) -> None:
            await super().write(chunk)
            seen.set()

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(in_events(events, end=False))
        await talk.closed()
        closed.set()

    async with worker(protocol, script) as transport:
        attempt = compatible(protocol, stream=True)
        attempt.reply = Sink()
        task = asyncio.get_running_loop().create_task(transport.send(attempt))
        await seen.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await closed.wait()
    assert attempt.usage is not None
    assert (attempt.usage.output_tokens, attempt.usage.estimated) == (2, True)


@both
async def test_a_client_that_is_cancelled_while_it_is_slow_closes_the_worker_too(protocol: str) -> None:
    """Where we wait for the client, not for the worker; nothing is left for the event loop to clean up."""
    stuck, closed = asyncio.Event(), asyncio.Event()
    left: list[Any] = []
    sys.set_asyncgen_hooks(finalizer=left.append)

    class Sink(LiveSink):
        async def write(self, chunk: bytes) -> None:
            stuck.set()
            await asyncio.get_running_loop().create_future()

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(in_events(stream(protocol, "12345678", end=False), end=False))
        await talk.closed()
        closed.set()

    async with worker(protocol, script) as transport:
        attempt = compatible(protocol, stream=True)
        attempt.reply = Sink()
        task = asyncio.get_running_loop().create_task(transport.send(attempt))
        await stuck.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await closed.wait()
    assert attempt.usage is not None
    assert left == []


@both
async def test_a_stream_for_whom_it_is_collected_has_an_end(protocol: str) -> None:
    """At 64 MiB; one that is passed on may be as long as it likes."""

    class Sink(RecordingSink):
        async def write(self, chunk: bytes) -> None:
            pass

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        for _ in range(REPLY_BYTES // 1_048_576 + 64):
            talk.send(b":" * 1_048_575 + b"\n")
            await talk.drain()
        raise AssertionError("the client read on")

    async with worker(protocol, script) as transport:
        attempt = compatible(protocol, stream=True)
        attempt.reply = Sink()
        outcome = await transport.send(attempt)
    assert isinstance(outcome, Failed)
    assert outcome.reason is Failure.WORKER_GARBAGE
    assert str(REPLY_BYTES) in outcome.detail


# Answers in one piece.


@both
async def test_a_plain_answer_passes_whole_with_its_headers(protocol: str) -> None:
    """In one piece, also where it was to be a stream; what it took is read off it."""
    body = whole(protocol, "Paris", SAID[protocol])
    for stream_wanted in (False, True):
        attempt = compatible(protocol, stream=stream_wanted)
        headers = ("x-request-id: r1", "set-cookie: a=b", "server: x", "date: now", "keep-alive: timeout=5", "Odd: 1")
        sent = await send(protocol, attempt, as_json(body, *headers, status="201 Created"))
        assert sent.outcome == Delivered(WORKER)
        assert (sent.sink.chunks, sent.sink.status) == ([body], 201)
        assert sent.sink.headers == (("content-type", "application/json"), ("x-request-id", "r1"), ("odd", "1"))
        assert sent.attempt.usage == TOOK


@both
@pytest.mark.parametrize(
    "body", [b"", b"hello", b"null", b"[1]", b"{}", b"[" * 100_000, b'{"text": "hi"}', b"data: {}\n\n"]
)
@pytest.mark.parametrize("media", ["application/json", "text/html"])
async def test_what_no_client_can_read_is_garbage(protocol: str, body: bytes, media: str) -> None:
    """Another worker is tried, and nothing of it was shown."""
    sent = await send(protocol, compatible(protocol), answer(body, f"content-type: {media}"))
    assert (sent.outcome.reason, sent.outcome.sent, sent.outcome.started) == (Failure.WORKER_GARBAGE, True, False)
    assert (sent.sink.status, sent.sink.chunks) == (0, [])
    assert sent.attempt.usage == Usage(guess(sent.attempt), estimated=True)


@both
async def test_no_content_is_no_answer(protocol: str) -> None:
    """204 has no body to read."""
    sent = await send(protocol, compatible(protocol), b"HTTP/1.1 204 No Content\r\n\r\n")
    assert sent.outcome.reason is Failure.WORKER_GARBAGE


@both
async def test_a_plain_answer_that_is_cut_shows_nothing(protocol: str) -> None:
    """So that another worker may answer."""

    async def script(talk: Talk) -> None:
        talk.send(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"choices": [')
        talk.close()

    sent = await send(protocol, compatible(protocol), script)
    assert (sent.outcome.reason, sent.outcome.started, sent.sink.status) == (Failure.WORKER_CLOSED, False, 0)


@both
async def test_an_answer_without_end_is_given_up(protocol: str) -> None:
    """At 64 MiB, and not held in memory a second longer."""

    async def script(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(REPLY_BYTES // 1_048_576 + 64):
            talk.send(b" " * 1_048_576)
            await talk.drain()
        raise AssertionError("the client read on")

    sent = await send(protocol, compatible(protocol), script)
    assert sent.outcome.reason is Failure.WORKER_GARBAGE


@both
async def test_what_is_compressed_unasked_passes_unread(protocol: str) -> None:
    """The client may understand it; we can only guess what it took."""
    sent = await send(protocol, compatible(protocol), as_json(b"\x1f\x8b", "content-encoding: gzip"))
    assert sent.outcome == Delivered(WORKER)
    assert (sent.sink.body, dict(sent.sink.headers)["content-encoding"]) == (b"\x1f\x8b", "gzip")
    assert sent.attempt.usage == Usage(guess(sent.attempt), 0, 0, 0, estimated=True)
    events = in_events(b"\x1f\x8b").replace(b"\r\ntransfer", b"\r\ncontent-encoding: gzip\r\ntransfer", 1)
    sent = await send(protocol, compatible(protocol, stream=True), events)
    assert sent.outcome == Delivered(WORKER)
    assert sent.sink.body == b"\x1f\x8b"
    sent = await send(protocol, compatible(protocol), as_json(b"{}", "content-encoding: identity"))
    assert sent.outcome.reason is Failure.WORKER_GARBAGE


@both
async def test_a_provider_that_does_not_count_is_counted_for(protocol: str) -> None:
    """By the bytes of its text."""
    sent = await send(protocol, compatible(protocol), as_json(whole(protocol, "12345678", None)))
    assert sent.attempt.usage == Usage(guess(sent.attempt), 0, 0, 2, estimated=True)


@both
async def test_what_other_readers_take_passes(protocol: str) -> None:
    """Half a surrogate pair, somewhere; but not in place of an answer."""
    body = whole(protocol, "x", SAID[protocol])
    strange = body[:-1] + rb', "odd": "\ud800"}'
    sent = await send(protocol, compatible(protocol), as_json(strange))
    assert (sent.outcome, sent.sink.body, sent.attempt.usage) == (Delivered(WORKER), strange, TOOK)
    for bad in (rb'["\ud800"]', rb'{"choices": "\ud800", "content": "\ud800"}', rb'{"choices": ["\ud800"'):
        sent = await send(protocol, compatible(protocol), as_json(bad))
        assert sent.outcome.reason is Failure.WORKER_GARBAGE


def test_headers_of_the_connection_stay_there() -> None:
    """Those that HTTP names, and those that `connection` names."""
    ours = [("content-type", "x"), ("x-a", "1"), ("x-b", "2")]
    theirs = [("connection", "close"), ("transfer-encoding", "chunked"), ("content-length", "1"), ("date", "now")]
    assert passing([*theirs, *ours]) == ours
    assert passing([("connection", "keep-alive"), ("connection", " X-A , te"), *ours]) == [ours[0], ours[2]]
