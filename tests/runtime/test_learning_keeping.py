"""What a restart knows of feedback, and what it costs where the file is damaged."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pointsman.config.models import load
from pointsman.runtime.learning_keeping import SAVE_EVERY_S
from tests.runtime.taught import Desk, model_file


def files(where: Path) -> list[str]:
    """Names in the directory of models."""
    return sorted(path.name for path in (where / "models").iterdir()) if (where / "models").exists() else []


async def test_a_restart_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    """What was in use is in use, and weighs the same to the last digit."""
    async with Desk(tmp_path, keeps=True) as desk:
        desk.teach(200)
        before = desk.learning.status().delta
        assert before.state == "in_use"
        assert not before.saved
        decided = desk.learning._messages[desk.send("fix the garden")].answer
    async with Desk(tmp_path, keeps=True) as desk:
        after = desk.learning.status().delta
        assert after.saved
        assert (after.state, after.features, after.proof, after.senders) == (
            "in_use",
            before.features,
            before.proof,
            before.senders,
        )
        again = desk.learning._messages[desk.send("fix the garden")].answer
        assert again.probabilities == decided.probabilities


async def test_it_is_written_every_few_seconds_and_not_for_nothing(tmp_path: Path) -> None:
    """A process that is killed forgets no more than that; one that learns nothing writes nothing."""
    async with Desk(tmp_path, keeps=True) as desk:
        await asyncio.sleep(3 * SAVE_EVERY_S)
        assert files(tmp_path) == []
        desk.teach(1)
        await asyncio.sleep(2 * SAVE_EVERY_S)
        assert len(files(tmp_path)) == 1
        assert desk.learning.status().delta.saved


async def test_without_being_asked_to_nothing_is_read_or_written(tmp_path: Path) -> None:
    """The library leaves no files behind."""
    async with Desk(tmp_path) as desk:
        desk.teach(5)
        await asyncio.sleep(2 * SAVE_EVERY_S)
        assert not desk.learning.status().delta.saved
    assert files(tmp_path) == []


async def test_a_rollback_is_written_at_once(tmp_path: Path) -> None:
    """A restart does not bring back what was dropped."""
    async with Desk(tmp_path, keeps=True) as desk:
        desk.teach(200)
        assert desk.learning.rollback().delta.saved
        async with Desk(tmp_path, keeps=True) as other:
            assert other.learning.status().delta.state == "none"


async def test_a_damaged_file_costs_what_was_learnt_and_is_said(tmp_path: Path) -> None:
    """The model decides alone; what is learnt from now on is kept again."""
    async with Desk(tmp_path, keeps=True) as desk:
        desk.teach(200)
    (name,) = files(tmp_path)
    path = tmp_path / "models" / name
    path.write_bytes(path.read_bytes()[:100])
    async with Desk(tmp_path, keeps=True) as desk:
        delta = desk.learning.status().delta
        assert delta.state == "none"
        assert "the model decides alone" in delta.alarm
        assert name in delta.alarm
        desk.teach(1)
        await asyncio.sleep(2 * SAVE_EVERY_S)
        assert desk.learning.status().delta.saved
        assert desk.learning.status().delta.alarm == delta.alarm, "what is lost stays said"
    assert files(tmp_path) == [name, f"{name}.unreadable"]


async def test_a_directory_that_cannot_be_written_is_said_and_costs_nothing_else(tmp_path: Path) -> None:
    """Feedback is still learnt; once there is room again it is written, and the alarm ends."""
    (tmp_path / "models").write_text("in the way")
    async with Desk(tmp_path, keeps=True) as desk:
        desk.teach(1)
        await asyncio.sleep(2 * SAVE_EVERY_S)
        delta = desk.learning.status().delta
        assert "cannot be written" in delta.alarm
        assert (delta.saved, delta.state) == (False, "shadow")
        (tmp_path / "models").unlink()
        await asyncio.sleep(2 * SAVE_EVERY_S)
        delta = desk.learning.status().delta
        assert (delta.saved, delta.alarm) == (True, "")


async def test_each_model_has_a_file_of_its_own(tmp_path: Path) -> None:
    """Who goes back to a model finds what was learnt beside it."""
    async with Desk(tmp_path, keeps=True) as desk:
        desk.teach(10)
        before = desk.learning.status().delta.features
        desk.use(load(model_file(tmp_path, "other", {"fix": 1.0, "garden": 1.0})))
        assert desk.learning.status().delta.state == "none"
        desk.teach(3)
        assert len(files(tmp_path)) == 1
        desk.use(load(model_file(tmp_path)))
        assert desk.learning.status().delta.features == before
        assert len(files(tmp_path)) == 2
        desk.use(None)
        assert desk.learning.status().delta.state == "none"
