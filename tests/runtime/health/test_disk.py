from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from pointsman.model.health import Finding
from pointsman.runtime.health.disk import DiskCheck


async def look(*directories: Path, least: int = 1) -> Finding:
    """Look at directories."""
    return await DiskCheck(lambda: directories, least).look()


def disk(monkeypatch: pytest.MonkeyPatch, free: int, inodes: int = 500) -> None:
    """Let every disk have so many free bytes, and so many of 1,000 inodes."""
    found = SimpleNamespace(f_bavail=free, f_frsize=1, f_files=1000, f_favail=inodes)
    monkeypatch.setattr(os, "statvfs", lambda place: found)


async def test_room_is_held_against_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice as much is near enough for a warning."""
    for free, status in ((99, "fail"), (100, "warn"), (199, "warn"), (200, "pass")):
        disk(monkeypatch, free)
        finding = await look(tmp_path, least=100)
        assert (finding.status.value, finding.observed, finding.limit) == (status, free, 100)


async def test_few_inodes_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk of small files is full before its bytes are."""
    disk(monkeypatch, 10_000, inodes=9)
    assert (await look(tmp_path)).status.value == "fail"
    disk(monkeypatch, 10_000, inodes=10)
    assert (await look(tmp_path)).status.value == "pass"


async def test_a_directory_that_is_not_there_yet_counts_as_its_parent(tmp_path: Path) -> None:
    """And nothing is left behind."""
    finding = await look(tmp_path / "not" / "yet")
    assert finding.status.value == "pass"
    assert os.listdir(tmp_path) == []


async def test_the_worst_of_several_is_told(tmp_path: Path) -> None:
    """By its name."""
    (tmp_path / "file").write_text("in the way", "utf-8")
    finding = await look(tmp_path, tmp_path / "file")
    assert finding.status.value == "fail"
    assert "file cannot be written: Not a directory" in finding.output


async def test_where_nothing_is_written_nothing_is_wrong() -> None:
    """A router in memory."""
    assert (await look()).output == "nothing is written to a disk"
