"""Feedback to a whole router: from a program, from threads, over a reload, and with API keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from pointsman import BlockingRouter, Router, Settings
from pointsman.model.errors import Forbidden
from pointsman.model.outcome import Refused
from pointsman.model.result import Result
from pointsman.model.settings import ClassifierSettings, LimitSettings
from tests.runtime.taught import model_file

LIMITS = LimitSettings(rate_per_min=1_000_000, burst=10_000, flood_copies=10_000)


async def done(work: dict[str, Any]) -> str:
    """Work done."""
    return f"did {work['text']}"


WORKERS = {"planners": {"p": done}, "coders": {"c": done}}


def settings(where: Path) -> Settings:
    """Settings with a small model."""
    return Settings(limits=LIMITS, classifier=ClassifierSettings(model=str(model_file(where))))


async def ask(router: Router, text: str, client: str) -> Result:
    """Send a message that must be taken."""
    result = await router.send(text, client=client)
    assert not isinstance(result, Refused)
    return result


async def teach(router: Router, times: int) -> None:
    """Let six clients say that fixing the garden is strategic."""
    for at in range(times):
        client = f"c{at % 6}"
        result = await ask(router, "fix the garden", client)
        router.feedback(result.id, label="strategic", client=client)


async def test_a_program_says_which_class_was_right_until_it_is_believed(tmp_path: Path) -> None:
    """Then such messages go elsewhere; a rollback brings them back."""
    async with Router(settings(tmp_path), workers=WORKERS) as router:
        assert (await ask(router, "fix the garden", "c0")).message_class == "tactical"
        await teach(router, 150)
        assert router.learning.status().delta.state == "in_use"
        result = await ask(router, "fix the garden", "c0")
        assert result.message_class == "strategic"
        decision = router.decision(result.id)
        assert decision is not None
        assert "feedback" in {one.feature for one in decision.evidence}
        router.learning.rollback()
        assert (await ask(router, "fix the garden", "c0")).message_class == "tactical"


async def test_new_settings_keep_what_was_learnt_beside_the_same_model(tmp_path: Path) -> None:
    """Another model begins with nothing."""
    async with Router(settings(tmp_path), workers=WORKERS) as router:
        await teach(router, 150)
        old = settings(tmp_path)
        await router.reload(msgspec.structs.replace(old, limits=msgspec.structs.replace(LIMITS, burst=9_999)))
        assert (await ask(router, "fix the garden", "c0")).message_class == "strategic"
        other = ClassifierSettings(model=str(model_file(tmp_path, "other", {"fix": -2.0, "plan": 2.0})))
        await router.reload(msgspec.structs.replace(old, classifier=other))
        assert router.learning.status().delta.state == "none"
        assert (await ask(router, "fix the garden", "c0")).message_class == "tactical"


async def test_a_program_speaks_as_the_client_that_it_sent_as(tmp_path: Path) -> None:
    """By default as itself."""
    async with Router(settings(tmp_path), workers=WORKERS) as router:
        own, of_alice = await ask(router, "fix it", "local"), await ask(router, "fix it", "alice")
        assert router.feedback(own.id, outcome="failed").message_class == "strategic"
        with pytest.raises(Forbidden):
            router.feedback(of_alice.id, outcome="failed")


@pytest.mark.real_loop
def test_a_program_without_a_loop_gives_feedback_too(tmp_path: Path) -> None:
    """From any thread."""
    with BlockingRouter(settings(tmp_path), workers=WORKERS) as router:
        result = router.send("fix the typo")
        assert isinstance(result, Result)
        assert router.feedback(result.id, label="strong").weight == 1.0
        with pytest.raises(Forbidden):
            router.feedback(result.id, outcome="ok", client="somebody")
