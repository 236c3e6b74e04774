from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pointsman.core.health_history import History
from pointsman.model.health import HealthMark, HealthStatus
from pointsman.runtime.health import memory
from pointsman.runtime.health.journal import Journal
from pointsman.runtime.health.memory import Memory
from pointsman.runtime.tasks import Tasks
from pointsman.sim import SimClock


@contextlib.asynccontextmanager
async def remembering(path: Path, keep_s: float = 1e6) -> AsyncIterator[Memory]:
    """Yield a memory whose journal is open."""
    clock = SimClock()
    tasks = Tasks(clock)
    made = Memory(History(keep_s, 1_000), path, clock, tasks)
    await made.open()
    yield made
    await tasks.close()
    made.close()


def note(of: Memory, component: str, at: float) -> None:
    """Remember a check."""
    mark = HealthMark(component, at, HealthStatus.PASS, 0.1)
    of.history.add(mark)
    of.add([mark])


async def test_what_is_remembered_is_written_soon_and_read_again(tmp_path: Path) -> None:
    """Also what had not been written when it closed."""
    path = tmp_path / "health.jsonl"
    async with remembering(path) as one:
        note(one, "a", one._clock.wall())
        await one._clock.sleep_until(one._clock.monotonic() + 1.0)
        assert path.read_bytes().count(b"\n") == 1
        note(one, "b", one._clock.wall())
    async with remembering(path) as one:
        assert {mark.component for mark in one.history} == {"a", "b"}


async def test_what_is_too_old_is_forgotten_at_the_start(tmp_path: Path) -> None:
    """As it would have been without a restart."""
    path = tmp_path / "health.jsonl"
    async with remembering(path) as one:
        wall = one._clock.wall()
        note(one, "a", wall - 200.0)
        note(one, "a", wall - 50.0)
    async with remembering(path, keep_s=100.0) as one:
        assert [mark.at_wall for mark in one.history] == [wall - 50.0]


@pytest.mark.parametrize("what", ["a directory", "no lines of ours", "another process"])
async def test_a_journal_that_cannot_be_read_costs_the_history_and_nothing_else(what: str, tmp_path: Path) -> None:
    """It is said, and checks are remembered in memory."""
    path = tmp_path / "health.jsonl"
    other = Journal(path)
    if what == "a directory":
        path.mkdir()
    elif what == "another process":
        other.open()
    else:
        path.write_bytes(b"\x00\xff\nnonsense\n")
    async with remembering(path) as one:
        assert str(path) in one.trouble
        assert {"a directory": "Is a directory", "no lines of ours": "2 lines", "another process": "another process"}[
            what
        ] in one.trouble
        note(one, "a", one._clock.wall())
        await one._clock.sleep_until(one._clock.monotonic() + 1.0)
        assert len(one.history) == 1
    other.close()


async def test_a_disk_that_takes_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once; later checks are written if it takes them again."""

    def full(self: Journal, marks: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "health.jsonl"
    async with remembering(path) as one:
        with monkeypatch.context() as patch:
            patch.setattr(Journal, "append", full)
            note(one, "a", one._clock.wall())
            await one._clock.sleep_until(one._clock.monotonic() + 1.0)
        assert "No space left" in one.trouble
        note(one, "b", one._clock.wall())
    assert b'"b"' in path.read_bytes()


async def test_the_journal_is_written_anew_when_most_of_it_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it does not grow for ever."""
    monkeypatch.setattr(memory, "_SLACK_LINES", 10)
    path = tmp_path / "health.jsonl"
    async with remembering(path, keep_s=5.0) as one:
        longest = 0
        for _ in range(100):
            note(one, "a", one._clock.wall())
            one.history.forget(one._clock.wall())
            await one._clock.sleep_until(one._clock.monotonic() + 1.0)
            longest = max(longest, path.read_bytes().count(b"\n"))
        assert 10 < longest <= 2 * 6 + 10 + 1
