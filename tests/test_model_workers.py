"""Workers behind model APIs in a whole router: who answers when one is silent, busy, wrongly set up or cut."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pointsman.assembly import House
from pointsman.config.secrets import Secrets
from pointsman.model.message import Envelope, Message
from pointsman.model.outcome import Failure
from pointsman.model.result import Result
from pointsman.model.settings import (
    BreakerSettings,
    ClassifierSettings,
    ClassSettings,
    PoolSettings,
    Secret,
    Settings,
    WorkerSettings,
)
from pointsman.model.states import Status
from pointsman.runtime.replies import StreamSink
from tests.answer_streams import openai
from tests.transports.model_worker import BODIES, Script, as_json, in_events
from tests.transports.raw_server import Talk, serve

pytestmark = pytest.mark.real_loop(timeout_s=30)

EVENTS = openai("Par", "is", usage={"prompt_tokens": 5, "completion_tokens": 2})


class Client:
    """A sender's end of a stream."""

    def __init__(self) -> None:
        self.status = 0
        self.chunks: list[bytes] = []

    async def begin(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """The answer begins."""
        self.status = status

    async def write(self, chunk: bytes) -> None:
        """A part of it."""
        self.chunks.append(chunk)

    def write_now(self, chunk: bytes) -> bool:
        """A part of it, which it can always take."""
        self.chunks.append(chunk)
        return True


def saying(reply: bytes) -> Script:
    """A worker that answers each request with these bytes."""

    async def script(talk: Talk) -> None:
        while True:
            await talk.request()
            talk.send(reply)

    return script


async def silent(talk: Talk) -> None:
    """A worker that says nothing."""
    await talk.closed()


async def cut(talk: Talk) -> None:
    """A worker that stops in the middle."""
    await talk.request()
    talk.send(in_events(EVENTS[:100], end=False))
    talk.close()


@asynccontextmanager
async def router(*scripts: Script, **pool: Any) -> AsyncIterator[House]:
    """A router with a worker for each script, which are asked in this order."""
    async with AsyncExitStack() as servers:
        workers = []
        for place, script in enumerate(scripts):
            server = await servers.enter_async_context(serve(script))
            auth = Secret(env="KEY")
            workers.append(WorkerSettings(id=f"w{place}", transport="openai", url=server.url, model="gpt-x", auth=auth))
        of = PoolSettings(workers=workers, balancer="round_robin", **pool)
        settings = Settings(
            pools={"p": of},
            classes={"only": ClassSettings(pool="p")},
            classifier=ClassifierSettings(fallback_class="only"),
        )
        house = House(settings, secrets=Secrets({"KEY": "k3y"}, Path("nowhere")))
        await house.start()
        try:
            yield house
        finally:
            await house.stop(1.0)


async def ask(house: House, **fields: Any) -> tuple[Result, Client, Envelope]:
    """Send what a streaming client sends; return what came of it, what it was shown, and its envelope."""
    message = Message(messages=[{"role": "user", "content": "hi"}], stream=True, **fields)
    envelope = house.envelopes.wrap(message, protocol="openai", body=BODIES["openai"])
    envelope.endpoint = "/chat/completions"
    client = Client()
    result = await house.core.send(envelope, None, StreamSink(client))
    assert isinstance(result, Result)
    return result, client, envelope


def trail(envelope: Envelope) -> list[tuple[str, str]]:
    """Who was asked, and what came of it."""
    return [(record.worker, record.result) for record in envelope.trail]


async def test_a_stream_reaches_its_client_and_what_it_took_the_record() -> None:
    """As the worker sent it."""
    async with router(saying(in_events(EVENTS))) as house:
        result, client, envelope = await ask(house)
    assert result.status is Status.DELIVERED
    assert (client.status, b"".join(client.chunks)) == (200, EVENTS)
    (record,) = envelope.trail
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (5, 2)
    assert record.first_token_s is not None
    assert 0.0 <= record.first_token_s <= record.took_s


async def test_a_silent_worker_is_passed_over_at_its_time_out() -> None:
    """The next one gets the message at once, without a back-off of its own."""
    async with router(silent, saying(in_events(EVENTS)), first_token_s=0.05) as house:
        result, client, envelope = await ask(house)
    assert result.status is Status.DELIVERED
    assert b"".join(client.chunks) == EVENTS
    assert trail(envelope) == [("w0", Failure.WORKER_TIMEOUT), ("w1", "delivered")]


async def test_a_worker_with_a_wrong_key_is_passed_over_and_counted_against() -> None:
    """Another one may have a right one; its breaker opens like that of any worker that fails."""
    wrong = as_json(b'{"error": {"message": "no"}}', status="401 Unauthorized")
    breaker = BreakerSettings(failures=2)
    async with router(saying(wrong), saying(in_events(EVENTS)), breaker=breaker) as house:
        for _ in range(6):
            result, _, envelope = await ask(house)
            assert result.status is Status.DELIVERED
            assert envelope.trail[-1].worker == "w1"
        (first, _) = house.pools["p"]
        assert first.breaker.state == "open"


async def test_the_last_refusal_reaches_the_client_with_its_wish() -> None:
    """Where nobody answered in time: what the worker said itself."""
    slow = as_json(b'{"error": {"message": "slow down"}}', "retry-after: 9", status="429 Too Many Requests")
    async with router(saying(slow)) as house:
        result, client, envelope = await ask(house, ttl_s=0.2)
    assert (result.status, client.status) == (Status.EXPIRED, 0)
    assert result.reply is not None
    assert (result.reply.status, result.reply.body) == (429, b'{"error": {"message": "slow down"}}')
    assert ("retry-after", "9") in result.reply.headers
    assert envelope.trail[0].result == Failure.WORKER_BUSY


async def test_a_stream_that_was_cut_after_its_first_byte_is_nobody_elses() -> None:
    """The client has seen a part."""
    async with router(cut, saying(in_events(EVENTS))) as house:
        result, client, envelope = await ask(house)
    assert result.status is Status.DEAD
    assert b"".join(client.chunks) == EVENTS[:100]
    assert trail(envelope) == [("w0", Failure.WORKER_CLOSED)]
