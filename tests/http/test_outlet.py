"""A streamed answer in the compatible APIs: bytes as they come, pings before, a word where it is cut."""

from __future__ import annotations

import asyncio
import json

import pytest

from pointsman.model.outcome import Delivered, Failed, Failure, Outcome
from pointsman.model.settings import ServerSettings
from pointsman.ports import Attempt
from tests.http.asgi import Answered
from tests.http.service import Service, service

OPENAI = "/v1/chat/completions"
ANTHROPIC = "/v1/messages"
ASK = {"model": "tactical", "stream": True, "messages": [{"role": "user", "content": "fix it"}], "max_tokens": 9}
EVENTS = [("content-type", "text/event-stream"), ("x-request-id", "r1"), ("x-pointsman-class", "forged")]


class Streamer:
    """A worker whose answer is a script. Stands in for the transport."""

    def __init__(self, *outcomes: Outcome, chunks: tuple[bytes, ...] = (), wait_s: float = 0.0) -> None:
        self.chunks = chunks
        self.wait_s = wait_s
        self.outcomes = list(outcomes)
        self.headers = EVENTS
        self.attempts = 0

    async def open(self) -> None:
        """Nothing to open."""

    async def send(self, attempt: Attempt) -> Outcome:
        """Answer."""
        self.attempts += 1
        await asyncio.sleep(self.wait_s)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Failed) and not outcome.started:
            return outcome
        attempt.reply.start(200, self.headers)
        for chunk in self.chunks:
            await attempt.reply.write(chunk)
        return outcome

    async def probe(self) -> bool:
        """Always there."""
        return True

    async def close(self) -> None:
        """Nothing to close."""


def cut(reason: Failure = Failure.WORKER_CLOSED) -> Failed:
    """The worker broke off after its first bytes."""
    return Failed(reason, "it broke off", "c1", sent=True, started=True)


def install(run: Service, worker: Streamer) -> Streamer:
    """Put the script in the place of the coders' worker."""
    _, endpoint = run.house.fleet.find("c1")
    endpoint.transport = worker
    return worker


async def ask(run: Service, path: str) -> Answered:
    """Ask for a streamed answer."""
    return await run.client.post(path, ASK)


@pytest.mark.parametrize("path", [OPENAI, ANTHROPIC])
async def test_bytes_pass_as_they_come(path: str) -> None:
    """One write for each piece, whatever it is a piece of; the worker's headers pass but for those only we may say."""
    chunks = (b'data: {"a":', b" 1}\n\n", b"\xc3", b"\xa9\n\ndata: [DONE]\n\n")
    async with service() as run:
        install(run, Streamer(Delivered("c1"), chunks=chunks))
        answered = await ask(run, path)
    assert answered.chunks == (*chunks, b"")
    assert answered.headers["x-request-id"] == "r1"
    assert answered.headers["x-pointsman-class"] == "tactical"
    assert answered.headers["x-pointsman-worker"] == "c1"
    assert float(answered.headers["x-pointsman-overhead-ms"]) >= 0.0


async def test_a_cut_answer_ends_in_an_error_event_in_each_language() -> None:
    """An event of its own, even where the worker broke off in the middle of one; no clean end."""
    async with service() as run:
        install(run, Streamer(cut(), chunks=(b'data: {"a": 1}\n\n', b'data: {"b"')))
        openai = (await ask(run, OPENAI)).body.split(b"\n\n")
        anthropic = (await ask(run, ANTHROPIC)).body.split(b"\n\n")
    assert openai[:2] == anthropic[:2] == [b'data: {"a": 1}', b'data: {"b"']
    assert json.loads(openai[2].removeprefix(b"data: "))["error"]["code"] == "outcome_unknown"
    name, data = anthropic[2].split(b"\n")
    assert name == b"event: error"
    assert json.loads(data.removeprefix(b"data: "))["type"] == "error"


async def test_a_workers_own_error_event_is_not_followed_by_ours() -> None:
    """It has been relayed, and one is enough."""
    theirs = b'data: {"error": {"message": "overloaded"}}\n\n'
    async with service() as run:
        install(run, Streamer(cut(Failure.WORKER_ERROR), chunks=(theirs,)))
        assert (await ask(run, OPENAI)).body == theirs


async def test_an_attempt_that_failed_unseen_leaves_no_trace() -> None:
    """The next one answers, and the client never knows."""
    unseen = Failed(Failure.WORKER_CLOSED, "no", "c1", sent=True)
    async with service() as run:
        worker = install(run, Streamer(unseen, Delivered("c1"), chunks=(b"data: 1\n\n",)))
        assert (await ask(run, OPENAI)).body == b"data: 1\n\n"
    assert worker.attempts == 2


async def test_a_stream_that_does_not_begin_is_kept_open_by_pings() -> None:
    """From the first one on it has begun as a stream, and goes on as one."""
    async with service(server=ServerSettings(ping_s=1.0)) as run:
        install(run, Streamer(Delivered("c1"), chunks=(b"data: 1\n\n",), wait_s=2.5))
        openai = await ask(run, OPENAI)
        anthropic = await ask(run, ANTHROPIC)
    assert openai.chunks[:-1] == (b": ping\n\n", b": ping\n\n", b"data: 1\n\n")
    assert anthropic.body.startswith(b'event: ping\ndata: {"type": "ping"}\n\n')
    assert openai.headers["content-type"].startswith("text/event-stream")


async def test_what_goes_wrong_after_a_ping_is_told_by_an_event() -> None:
    """The status was sent with the first ping and cannot be taken back."""
    never = Failed(Failure.MESSAGE_FAULT, "too long", "c1", sent=True)
    async with service(server=ServerSettings(ping_s=1.0)) as run:
        install(run, Streamer(never, wait_s=1.5))
        answered = await ask(run, OPENAI)
    ping, error, rest = answered.body.split(b"\n\n")
    assert (answered.status, ping, rest) == (200, b": ping", b"")
    assert json.loads(error.removeprefix(b"data: "))["error"]["code"] == "message_fault"


async def test_a_native_reply_after_a_ping_becomes_events() -> None:
    """A worker that answers whole serves a client that wanted a stream."""

    async def slow(work: object) -> str:
        await asyncio.sleep(1.5)
        return "done"

    async with service({"coders": {"c1": slow}}, server=ServerSettings(ping_s=1.0)) as run:
        answered = await ask(run, OPENAI)
    assert answered.body.startswith(b": ping\n\ndata: ")
    assert answered.body.endswith(b"data: [DONE]\n\n")


async def test_an_answer_that_is_no_stream_is_broken_off_where_it_is_cut() -> None:
    """No event could stand in it: its client must see that the transfer is not whole."""
    async with service() as run:
        worker = install(run, Streamer(cut(), chunks=(b'{"a": ',)))
        worker.headers = [("content-type", "application/json")]
        with pytest.raises(Exception, match="broken off"):
            await ask(run, OPENAI)


async def test_a_client_that_goes_in_the_middle_ends_its_message() -> None:
    """The worker's call is cancelled with it, and nothing is left in hand."""
    async with service() as run:
        install(run, Streamer(Delivered("c1"), wait_s=1e6))
        hang_up = asyncio.Event()
        headers = {"content-type": "application/json"}
        task = asyncio.ensure_future(
            run.client.call("POST", OPENAI, json.dumps(ASK).encode(), headers, hang_up=hang_up)
        )
        await run.settle()
        hang_up.set()
        await task
        counts = await run.surface.engine.counts()
        assert (counts.cancelled, counts.in_flight, run.house.running) == (1, 0, {})


async def test_a_refusal_before_the_stream_is_a_plain_answer() -> None:
    """With its own status, since nothing has begun."""
    async with service({}) as run:
        answered = await ask(run, ANTHROPIC)
    assert answered.status == 503
    assert answered.json()["error"]["type"] == "overloaded_error"
