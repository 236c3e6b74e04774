from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.model.health import HealthMark, HealthStatus
from pointsman.runtime.health.journal import Journal


def mark(at: float, output: str = "") -> HealthMark:
    """Return a check."""
    return HealthMark("engine", at, HealthStatus.PASS, 0.25, output)


def read(path: Path) -> tuple[list[HealthMark], int]:
    """Return what another process would read, and how many lines it could not."""
    journal = Journal(path)
    marks = journal.open()
    journal.close()
    return marks, journal.unreadable


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Over openings; text of any kind stays on its line."""
    path = tmp_path / "deep" / "health.jsonl"
    for at in range(2):
        journal = Journal(path)
        assert len(journal.open()) == at
        journal.append([mark(at, "a\nb\u2028c\udc80".encode("utf-8", "replace").decode())])
        assert journal.lines == at + 1
        journal.close()
        journal.close()
    assert [one.at_wall for one in read(path)[0]] == [0.0, 1.0]


@given(cut=st.integers(0, 400))
def test_a_last_line_that_was_cut_short_is_left_out(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Wherever it was cut; the lines before it are read, and the next one stands on its own."""
    path = tmp_path_factory.mktemp("journal") / "health.jsonl"
    journal = Journal(path)
    journal.open()
    journal.append([mark(at) for at in range(4)])
    journal.close()
    data = path.read_bytes()
    path.write_bytes(data[:cut])
    whole = data[:cut].count(b"\n")
    assert read(path) == ([mark(at) for at in range(whole)], 0)
    journal.open()
    journal.append([mark(9)])
    journal.close()
    assert read(path) == ([*(mark(at) for at in range(whole)), mark(9)], 0)


def test_lines_that_are_none_of_ours_are_counted(tmp_path: Path) -> None:
    """And cost the others nothing."""
    path = tmp_path / "health.jsonl"
    journal = Journal(path)
    journal.open()
    journal.append([mark(1), mark(2)])
    journal.close()
    first, second, _ = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join((b"\xff\x00", first, b'{"component": 3}', second, b"")))
    assert read(path) == ([mark(1), mark(2)], 2)


def test_a_rewritten_journal_holds_what_it_was_given_and_goes_on(tmp_path: Path) -> None:
    """In one step, in the place of the old one."""
    path = tmp_path / "health.jsonl"
    journal = Journal(path)
    journal.open()
    journal.append([mark(at) for at in range(9)])
    journal.rewrite([mark(7), mark(8)])
    journal.append([mark(9)])
    assert journal.lines == 3
    journal.close()
    assert [one.at_wall for one in read(path)[0]] == [7.0, 8.0, 9.0]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["health.jsonl", "health.jsonl.lock"]


def test_it_belongs_to_one_process(tmp_path: Path) -> None:
    """Until that lets it go; what is closed takes nothing."""
    first, second = (Journal(tmp_path / "health.jsonl") for _ in range(2))
    first.open()
    with pytest.raises(BlockingIOError):
        second.open()
    assert not second.is_open
    first.close()
    first.append([mark(1)])
    first.rewrite([mark(1)])
    assert second.open() == []
    second.close()


def test_a_write_that_fails_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk takes a part of it."""
    import os

    path = tmp_path / "health.jsonl"
    journal = Journal(path)
    journal.open()
    journal.append([mark(1)])
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:10]))
    with pytest.raises(OSError, match="only 10 of"):
        journal.append([mark(2)])
    monkeypatch.undo()
    journal.append([mark(3)])
    journal.close()
    assert [one.at_wall for one in read(path)[0]] == [1.0, 3.0]
