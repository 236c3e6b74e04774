"""A native message's answer from a model API, as its text comes; plain answers are with each protocol's own tests."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pointsman.model.outcome import Delivered, Failure
from pointsman.model.usage import Usage
from pointsman.testing.attempts import WORKER, LiveSink, make_attempt
from tests.answer_streams import anthropic, data, openai, whole
from tests.transports.model_worker import STREAM_HEAD, Answered, as_json, guess, in_events, send
from tests.transports.raw_server import Talk

pytestmark = pytest.mark.real_loop(timeout_s=20)

both = pytest.mark.parametrize("protocol", ["openai", "anthropic"])
SAID: dict[str, dict[str, Any]] = {
    "openai": {"prompt_tokens": 5, "completion_tokens": 2},
    "anthropic": {"input_tokens": 5, "output_tokens": 2},
}


def stream(protocol: str, *texts: str, end: bool = True) -> bytes:
    """A streamed answer, whole or cut."""
    if protocol == "openai":
        return openai(*texts, usage=SAID[protocol]) if end else openai(*texts, end=False)
    return anthropic(*texts, start={"input_tokens": 5}, last={"output_tokens": 2} if end else None, end=end)


async def tell(protocol: str, *chunks: bytes, end: bool = True) -> Answered:
    """Send a native message that wants a stream."""
    return await send(protocol, make_attempt(stream=True), in_events(*chunks, end=end))


@both
@pytest.mark.parametrize("size", [1, 7, 100_000])
async def test_text_comes_in_whole_characters_and_the_reply_at_the_end(protocol: str, size: int) -> None:
    """However the worker's bytes are cut."""
    seen: list[bytes] = []

    class Sink(LiveSink):
        async def write(self, chunk: bytes) -> None:
            await super().write(chunk)
            seen.append(chunk)

    events = stream(protocol, "Gr", "\u00fc\u00dfe, ", "\u4e16\u754c \U0001f680")
    attempt = make_attempt(stream=True)
    attempt.reply = Sink()
    sent = await send(protocol, attempt, in_events(*(events[at : at + size] for at in range(0, len(events), size))))
    assert sent.outcome == Delivered(WORKER)
    assert [chunk.decode() for chunk in seen] == ["Gr", "\u00fc\u00dfe, ", "\u4e16\u754c \U0001f680"]
    assert (sent.sink.status, sent.sink.headers) == (200, (("content-type", "text/plain; charset=utf-8"),))
    assert sent.sink.value == {
        "text": "Gr\u00fc\u00dfe, \u4e16\u754c \U0001f680",
        "usage": SAID[protocol],
        "model": "m",
    }
    assert sent.attempt.usage == Usage(5, 0, 0, 2)
    assert sent.attempt.first_token_at is not None


@both
async def test_text_is_shown_as_it_comes(protocol: str) -> None:
    """The worker goes on only when the first word was seen."""
    seen = asyncio.Event()

    class Sink(LiveSink):
        async def write(self, chunk: bytes) -> None:
            await super().write(chunk)
            seen.set()

    events = stream(protocol, "one", "two")
    at = events.index(b"two")

    async def script(talk: Talk) -> None:
        talk.send(in_events(events[:at], end=False))
        await seen.wait()
        talk.send(in_events(events[at:]).removeprefix(STREAM_HEAD))

    attempt = make_attempt(stream=True)
    attempt.reply = Sink()
    sent = await send(protocol, attempt, script)
    assert sent.outcome == Delivered(WORKER)
    assert sent.sink.value["text"] == "onetwo"


@both
async def test_a_worker_that_does_not_stream_just_answers(protocol: str) -> None:
    """Its sender gets the value."""
    sent = await send(protocol, make_attempt(stream=True), as_json(whole(protocol, "Paris", SAID[protocol])))
    assert sent.outcome == Delivered(WORKER)
    assert (sent.sink.value["text"], sent.sink.chunks) == ("Paris", [])
    assert sent.attempt.usage == Usage(5, 0, 0, 2)


@both
async def test_an_answer_without_text_is_an_empty_one(protocol: str) -> None:
    """A worker that only calls tools has said nothing, and there is nothing to show before the end."""
    sent = await tell(protocol, stream(protocol))
    assert sent.outcome == Delivered(WORKER)
    assert (sent.sink.value["text"], sent.sink.started, sent.attempt.first_token_at) == ("", False, None)


@both
@pytest.mark.parametrize("end", [True, False])
async def test_a_stream_that_is_cut_puts_no_reply(protocol: str, end: bool) -> None:
    """It is charged for what came."""

    async def script(talk: Talk) -> None:
        talk.send(in_events(stream(protocol, "12345678", end=False), end=end))
        talk.close()

    sent = await send(protocol, make_attempt("x" * 16, stream=True), script)
    outcome = sent.outcome
    assert (outcome.reason, outcome.sent, outcome.started) == (Failure.WORKER_CLOSED, True, True)
    assert (sent.sink.body, sent.sink.value) == (b"12345678", None)
    of_input = guess(sent.attempt) if protocol == "openai" else 5
    assert sent.attempt.usage == Usage(of_input, 0, 0, 2, estimated=True)


@both
async def test_an_error_that_comes_first_is_the_refusal_it_is(protocol: str) -> None:
    """Another worker may answer."""
    error = {"type": "overloaded_error", "message": "my words"}
    sent = await tell(protocol, data({"type": "error", "error": error}))
    assert (sent.outcome.reason, sent.outcome.started, sent.outcome.sent) == (Failure.WORKER_BUSY, False, False)
    assert sent.attempt.usage is None


@both
async def test_an_error_within_a_stream_is_the_workers(protocol: str) -> None:
    """After a word was shown nobody else may answer."""
    seen = asyncio.Event()

    class Sink(LiveSink):
        async def write(self, chunk: bytes) -> None:
            await super().write(chunk)
            seen.set()

    async def script(talk: Talk) -> None:
        talk.send(in_events(stream(protocol, "one", end=False), end=False))
        await seen.wait()
        error = {"type": "overloaded_error", "message": "my words"}
        talk.send(in_events(data({"type": "error", "error": error})).removeprefix(STREAM_HEAD))

    attempt = make_attempt(stream=True)
    attempt.reply = Sink()
    sent = await send(protocol, attempt, script)
    assert (sent.outcome.reason, sent.outcome.started, sent.sink.value) == (Failure.WORKER_ERROR, True, None)
    assert "my words" in sent.outcome.detail


async def test_what_a_worker_leaves_open_at_its_end_counts() -> None:
    """Some do not end their last event."""
    event = b'data: {"choices":[{"delta":{"content":" is"},"finish_reason":"stop"}]}'
    sent = await tell("openai", openai("Paris", end=False), event)
    assert sent.outcome == Delivered(WORKER)
    assert sent.sink.value["text"] == "Paris is"


@both
@pytest.mark.parametrize(
    "junk", [b"data: hello\n\n", b'data: {"choices": 7, "delta": 7}\n\n', b"data: " + b"x" * 5_000_000]
)
async def test_events_that_cannot_be_read_are_garbage(protocol: str, junk: bytes) -> None:
    """Before or after a word; it is charged for what came."""
    for before in (b"", stream(protocol, "one", end=False)):
        sent = await tell(protocol, before + junk, end=False)
        assert sent.outcome.reason is Failure.WORKER_GARBAGE
        assert sent.outcome.started is bool(before)
        assert sent.attempt.usage is not None
