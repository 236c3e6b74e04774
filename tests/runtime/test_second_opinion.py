"""Asking somebody else: in time or not at all, and never a fault of ours."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pointsman import Router, Settings
from pointsman.model.result import Result
from pointsman.model.settings import ClassifierSettings
from pointsman.runtime.second_opinion import SecondOpinion
from pointsman.sim import SimClock

GOOD = {"strategic": 0.9, "tactical": 0.1}
UNSURE = "the quarterly numbers and the exports again"


def asked(answer: Any) -> SecondOpinion:
    """Somebody who answers so, raises it, or is silent for ever."""

    async def embed(text: str) -> Any:
        if isinstance(answer, BaseException):
            raise answer
        if answer is None:
            await asyncio.get_running_loop().create_future()
        return answer

    return SecondOpinion(embed, ClassifierSettings, SimClock())


async def test_what_it_says_is_passed_on():
    """As it came."""
    assert await asked(GOOD).ask("x") == GOOD


@pytest.mark.parametrize(
    "answer", [None, ValueError("x"), "strategic", {}, {"a": 2.0, "b": -1.0}, {"a": 0.2}, {"a": "1"}, 7]
)
async def test_what_cannot_be_used_is_no_opinion(answer):
    """Silence, faults, other types, and what does not sum to 1."""
    assert await asked(answer).ask("x") is None


async def test_one_who_fails_again_and_again_is_left_alone_for_a_while():
    """20 failures in a minute, then no call for five."""
    calls = 0

    async def embed(text: str) -> dict[str, float]:
        nonlocal calls
        calls += 1
        raise ValueError("x")

    clock = SimClock()
    somebody = SecondOpinion(embed, ClassifierSettings, clock)
    for _ in range(30):
        assert await somebody.ask("x") is None
    assert calls == 20
    await clock.sleep_until(clock.monotonic() + 301.0)
    await somebody.ask("x")
    assert calls == 21


@pytest.mark.parametrize(
    ("second", "wanted"), [(GOOD, "strategic"), ({"strategic": 0.02, "tactical": 0.98}, "tactical")]
)
async def test_a_program_gives_an_embedder_and_it_decides_what_is_open(second, wanted):
    """It is asked once for an unsure message, not for a clear one, and the conversation keeps what came of it."""
    seen: list[str] = []

    async def embed(text: str) -> dict[str, float]:
        seen.append(text)
        return dict(second)

    async def work(message: dict[str, Any]) -> str:
        return "done"

    workers = {"coders": {"c": work}, "planners": {"p": work}}
    async with Router(Settings(), workers=workers, embedder=embed, clock=SimClock()) as router:
        clear = await router.send("fix the typo in the footer")
        assert isinstance(clear, Result)
        assert (clear.message_class, seen) == ("tactical", [])
        first = await router.send(UNSURE, conversation_id="talk")
        assert isinstance(first, Result)
        assert (first.message_class, seen) == (wanted, [UNSURE])
        record = router.decision(first.id)
        assert record is not None
        assert record.cause == "embedding"
        assert router.house.pins.get("local", "talk", router.house.clock.monotonic()) == wanted
