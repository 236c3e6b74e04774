"""Answers word by word for callers in this process."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from pointsman import Router
from pointsman.model.errors import DeliveryError, RefusedError
from pointsman.model.outcome import Delivered, Failed, Failure, Outcome
from pointsman.ports import Attempt
from pointsman.sim import SimClock


class Speaker:
    """A worker that speaks word by word, and may break off. Stands in for the transport."""

    def __init__(self, *words: str, cut: bool = False) -> None:
        self.words = words
        self.cut = cut
        self.said = 0

    async def open(self) -> None:
        """Nothing to open."""

    async def send(self, attempt: Attempt) -> Outcome:
        """Speak."""
        attempt.reply.start(200, [("content-type", "text/plain; charset=utf-8")])
        for word in self.words:
            await attempt.reply.write(word.encode())
            self.said += 1
        if self.cut:
            return Failed(Failure.WORKER_CLOSED, "it broke off", attempt.worker, sent=True, started=True)
        attempt.reply.put({"text": "".join(self.words)})
        return Delivered(attempt.worker)

    async def probe(self) -> bool:
        """Always there."""
        return True

    async def close(self) -> None:
        """Nothing to close."""


async def whole(work: object) -> str:
    """Answer whole."""
    return "all at once"


def router(speaker: Speaker | None = None) -> Router:
    """A router with one coder."""
    made = Router(workers={"coders": {"w": whole}}, clock=SimClock())
    if speaker is not None:
        make = made.house.make_endpoint

        def make_speaker(*args: object, **more: object) -> object:
            endpoint = make(*args, **more)  # type: ignore[arg-type]
            endpoint.transport = speaker
            return endpoint

        made.house.fleet._make = make_speaker  # type: ignore[assignment]
    return made


async def test_words_come_as_they_are_said() -> None:
    """And the worker says no more than one ahead of who listens."""
    speaker = Speaker("a", "b", "c", "d")
    async with router(speaker) as of:
        heard = []
        async for piece in of.stream("x", class_="tactical"):
            heard.append(piece)
            await asyncio.sleep(1.0)
            assert speaker.said <= len(heard) + 1
    assert heard == ["a", "b", "c", "d"]


async def test_an_answer_that_comes_whole_is_one_piece() -> None:
    """Callers need not know what their worker can."""
    async with router() as of:
        assert [piece async for piece in of.stream("x", class_="tactical")] == ["all at once"]


async def test_a_refusal_and_a_cut_are_raised() -> None:
    """The cut after the words that came; nothing ends as if it were whole."""
    async with router(Speaker("a", cut=True)) as of:
        with pytest.raises(RefusedError):
            await anext(of.stream("x", class_="nothing"))
        pieces = of.stream("x", class_="tactical")
        assert await anext(pieces) == "a"
        with pytest.raises(DeliveryError):
            await anext(pieces)


async def test_whoever_stops_listening_cancels_the_message() -> None:
    """Its worker is let go at once."""
    async with router(Speaker(*"abcdefgh")) as of:
        async with contextlib.aclosing(of.stream("x", class_="tactical")) as pieces:  # type: ignore[type-var]
            assert await anext(pieces) == "a"
        await asyncio.sleep(1.0)
        counts = await of.counts()
        assert (counts.cancelled, counts.in_flight) == (1, 0)
