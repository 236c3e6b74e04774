"""Server-sent events of the native API."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from pointsman.model.outcome import Delivered, Outcome
from pointsman.model.settings import ServerSettings
from pointsman.ports import Attempt
from tests.http.asgi import Answered
from tests.http.service import Service, service, silent

PATH = "/api/v1/messages"
FIX = {"text": "fix the typo", "class": "tactical", "stream": True}


class Speaker:
    """A worker that speaks word by word. Stands in for the transport."""

    def __init__(self, *words: str, pause_s: float = 0.0) -> None:
        self.words = words
        self.pause_s = pause_s

    async def open(self) -> None:
        """Nothing to open."""

    async def send(self, attempt: Attempt) -> Outcome:
        """Speak."""
        attempt.reply.start(200, [("content-type", "text/plain; charset=utf-8")])
        for word in self.words:
            await attempt.reply.write(word.encode())
            await asyncio.sleep(self.pause_s)
        attempt.reply.put({"text": "".join(self.words)})
        return Delivered(attempt.worker)

    async def probe(self) -> bool:
        """Always there."""
        return True

    async def close(self) -> None:
        """Nothing to close."""


def install(run: Service, worker: Speaker) -> None:
    """Put the speaker in the place of the coders' worker."""
    _, endpoint = run.house.fleet.find("c1")
    endpoint.transport = worker


def events(answered: Answered) -> list[tuple[int, str, Any]]:
    """Number, name and data of each event."""
    assert answered.headers["content-type"].startswith("text/event-stream")
    found = []
    for event in answered.body.split(b"\n\n")[:-1]:
        if event.startswith(b":"):
            continue
        number, name, data = event.split(b"\n")
        found.append((int(number[4:]), name[7:].decode(), json.loads(data[6:])))
    return found


async def test_an_answer_comes_word_by_word() -> None:
    """Then its end, which is what a plain answer would have been."""
    async with service() as run:
        install(run, Speaker("fix", "ed", "é"))
        found = events(await run.client.post(PATH, FIX))
    assert [name for _, name, _ in found] == ["accepted", "started", "delta", "delta", "delta", "end"]
    assert [number for number, _, _ in found] == [1, 2, 3, 4, 5, 6]
    assert [data["text"] for _, name, data in found if name == "delta"] == ["fix", "ed", "é"]
    end = found[-1][2]
    assert (end["status"], end["reply"], end["decision"]["worker"]) == ("delivered", {"text": "fixedé"}, "c1")


async def test_a_worker_that_answers_whole_is_told_at_the_end() -> None:
    """Without a word before."""
    async with service() as run:
        found = events(await run.client.post(PATH, FIX))
    assert [name for _, name, _ in found] == ["accepted", "started", "end"]
    assert found[-1][2]["reply"] == {"text": "did: fix the typo"}


async def test_a_message_that_fails_ends_in_its_problem() -> None:
    """Each attempt that failed is told before it."""

    async def fail(work: object) -> Any:
        raise ConnectionError("not today")

    async with service({"coders": {"c1": fail}}) as run:
        found = events(await run.client.post(PATH, FIX))
    assert [name for _, name, _ in found].count("attempt_failed") == 3
    assert (found[-1][1], found[-1][2]["code"]) == ("end", "attempts_used_up")


async def test_a_refusal_is_a_plain_problem() -> None:
    """Nothing has begun, so it has its own status."""
    async with service() as run:
        answered = await run.client.post(PATH, {**FIX, "priority": "urgent"})
        assert (answered.status, answered.problem()["field"]) == (400, "priority")
        assert len(run.house.feeds) == 0
        assert not run.house.feeds._over


async def test_a_stream_that_nobody_waits_for_is_refused() -> None:
    """There would be nobody to stream to."""
    async with service() as run:
        answered = await run.client.post(PATH, {**FIX, "wait": False})
    assert (answered.status, answered.problem()["field"]) == (400, "stream")


async def test_silence_is_filled_with_comments() -> None:
    """So that nothing between us and the client takes the connection for dead."""
    async with service(server=ServerSettings(ping_s=1.0)) as run:
        install(run, Speaker("a", pause_s=2.5))
        answered = await run.client.post(PATH, FIX)
    assert answered.body.count(b": ping\n\n") == 2


async def hang_up_after(run: Service, message: dict[str, Any]) -> None:
    """Send a message and go away in the middle."""
    gone = asyncio.Event()
    headers = {"content-type": "application/json"}
    call = run.client.call("POST", PATH, json.dumps(message).encode(), headers, hang_up=gone)
    task = asyncio.ensure_future(call)
    await run.settle()
    gone.set()
    await task


async def test_a_client_that_goes_cancels_its_message() -> None:
    """By default, also in the middle of a stream."""
    async with service({"coders": {"c1": silent}}) as run:
        await hang_up_after(run, FIX)
        await run.settle()
        counts = await run.surface.engine.counts()
        assert (counts.cancelled, counts.in_flight) == (1, 0)
        (view,) = await run.surface.engine.find()
        found = events(await run.client.get(f"{PATH}/{view.id}/events"))
        assert (found[-1][1], found[-1][2]) == ("end", {"id": view.id, "status": "cancelled"})


async def test_a_message_that_goes_on_can_be_taken_up_again() -> None:
    """From the number that was seen last, with nothing lost and nothing twice; its reply is kept."""
    async with service() as run:
        install(run, Speaker("a", "b", "c", pause_s=10.0))
        await hang_up_after(run, {**FIX, "on_disconnect": "continue"})
        (message_id,) = run.house.running
        found = events(await run.client.get(f"{PATH}/{message_id}/events", {"last-event-id": "3"}))
        assert [(number, name) for number, name, _ in found] == [(4, "delta"), (5, "delta"), (6, "end")]
        assert found[-1][2]["reply"] == {"text": "abc"}
        late = (await run.client.get(f"{PATH}/{message_id}")).json()
        assert (late["status"], late["reply"]) == ("delivered", {"text": "abc"})


@pytest.mark.parametrize("stream", [True, False])
async def test_going_on_without_the_sender_keeps_the_reply(stream: bool) -> None:
    """Whether it wanted it in pieces or whole."""
    async with service() as run:
        install(run, Speaker("a", pause_s=10.0))
        await hang_up_after(run, {**FIX, "stream": stream, "on_disconnect": "continue"})
        (message_id,) = run.house.running
        await asyncio.sleep(20.0)
        late = (await run.client.get(f"{PATH}/{message_id}")).json()
        assert (late["status"], late["reply"]) == ("delivered", {"text": "a"})


async def test_any_message_can_be_followed() -> None:
    """From now on, to its end, whoever sent it."""
    async with service() as run:
        install(run, Speaker("a", pause_s=10.0))
        sender = asyncio.ensure_future(run.client.post(PATH, {**FIX, "stream": False}))
        await run.settle()
        (message_id,) = run.house.running
        found = events(await run.client.get(f"{PATH}/{message_id}/events"))
        assert [(name, data["status"]) for _, name, data in found] == [("end", "delivered")]
        await sender


async def test_a_message_that_has_ended_tells_its_end() -> None:
    """At once."""
    async with service() as run:
        sent = (await run.client.post(PATH, {**FIX, "stream": False})).json()
        found = events(await run.client.get(f"{PATH}/{sent['id']}/events"))
        assert [(name, data["status"]) for _, name, data in found] == [("end", "delivered")]
        unknown = await run.client.get(f"{PATH}/{'0' * 32}/events")
        assert unknown.status == 404


async def test_a_last_event_id_is_a_number() -> None:
    """Ours were."""
    async with service() as run:
        answered = await run.client.get(f"{PATH}/{'0' * 32}/events", {"last-event-id": "x"})
        assert (answered.status, answered.problem()["field"]) == (400, "last-event-id")
        assert "got 'x', expected the number of an event" in answered.problem()["detail"]
