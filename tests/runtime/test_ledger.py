"""The ledger's file: whole lines or none, one process, and a new file in the place of the old in one step."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.model.errors import LedgerUnusable
from pointsman.runtime import ledger as module
from pointsman.runtime.ledger import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger that is open and empty."""
    made = Ledger(tmp_path / "var" / "spend.jsonl")
    assert made.open() == b""
    yield made
    made.close()


def test_lines_are_there_for_whoever_reads_next(ledger: Ledger) -> None:
    """Once `append` has returned, the file has them; directories on the way were made."""
    ledger.append(b"one\n")
    ledger.append(b"two\nthree\n")
    assert ledger.path.read_bytes() == b"one\ntwo\nthree\n"
    assert ledger.size == 14
    ledger.close()
    again = Ledger(ledger.path)
    assert again.open() == b"one\ntwo\nthree\n"
    again.append(b"four\n")
    again.close()
    assert ledger.path.read_bytes() == b"one\ntwo\nthree\nfour\n"


def test_only_its_owner_may_read_it(ledger: Ledger) -> None:
    """It says who spent what."""
    ledger.rewrite([b"one\n"])
    assert ledger.path.stat().st_mode & 0o777 == 0o600


def test_a_second_one_is_kept_out(ledger: Ledger) -> None:
    """Also in another process, as long as the first lives; the text says what to do."""
    with pytest.raises(LedgerUnusable, match=r"another process .* costs\.ledger"):
        Ledger(ledger.path).open()
    code = (
        "import sys\nfrom pathlib import Path\nfrom pointsman.runtime.ledger import Ledger\n"
        "from pointsman.model.errors import LedgerUnusable\n"
        "try:\n    Ledger(Path(sys.argv[1])).open()\nexcept LedgerUnusable:\n    sys.exit(3)\n"
    )
    source = str(Path(module.__file__).parents[2])
    other = [sys.executable, "-c", code, str(ledger.path)]
    assert subprocess.run(other, env={"PYTHONPATH": source}, check=False).returncode == 3
    ledger.close()
    assert subprocess.run(other, env={"PYTHONPATH": source}, check=False).returncode == 0


def test_a_rewrite_replaces_all_lines_and_goes_on(ledger: Ledger) -> None:
    """What is appended afterwards is in the new file."""
    ledger.append(b"one\n" * 100)
    ledger.rewrite([b"sum\n"])
    ledger.append(b"two\n")
    assert ledger.path.read_bytes() == b"sum\ntwo\n"
    assert ledger.size == 8
    assert sorted(path.name for path in ledger.path.parent.iterdir()) == ["spend.jsonl", "spend.jsonl.lock"]


def test_a_rewrite_that_fails_leaves_the_old_file_in_use(ledger: Ledger) -> None:
    """There is something in the way of the new one."""
    ledger.append(b"one\n")
    ledger.path.with_name("spend.jsonl.new").mkdir()
    with pytest.raises(LedgerUnusable, match="cannot be written anew"):
        ledger.rewrite([b"sum\n"])
    ledger.append(b"two\n")
    assert ledger.path.read_bytes() == b"one\ntwo\n"


def test_a_rewrite_that_breaks_in_the_middle_leaves_the_old_file_in_use(ledger: Ledger) -> None:
    """The old one is only ever replaced by a whole one."""
    ledger.append(b"one\n")

    def lines() -> Iterator[bytes]:
        yield b"sum\n"
        raise OSError(28, "No space left on device")

    with pytest.raises(LedgerUnusable, match="No space left"):
        ledger.rewrite(lines())
    ledger.append(b"two\n")
    assert ledger.path.read_bytes() == b"one\ntwo\n"


def test_a_line_that_found_no_room_leaves_no_part_behind(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk takes half a line: the half is taken away again, and the next line stands by itself."""
    ledger.append(b"one\n")
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:3]))
    with pytest.raises(LedgerUnusable, match="3 of 8 bytes"):
        ledger.append(b"two two\n")
    assert ledger.path.read_bytes() == b"one\n"
    monkeypatch.undo()
    ledger.append(b"three\n")
    assert ledger.path.read_bytes() == b"one\nthree\n"


def test_a_part_that_cannot_be_taken_away_at_once_is_before_the_next_line(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then nothing more is written: a line after half a line would be lost with it."""
    ledger.append(b"one\n")
    real = os.write

    def refuse(file: int, size: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:3]))
    monkeypatch.setattr(os, "ftruncate", refuse)
    with pytest.raises(LedgerUnusable):
        ledger.append(b"two\n")
    monkeypatch.setattr(os, "write", real)
    with pytest.raises(LedgerUnusable, match="Input/output error"):
        ledger.append(b"three\n")
    assert ledger.path.read_bytes() == b"one\ntwo"
    monkeypatch.undo()
    ledger.append(b"four\n")
    assert ledger.path.read_bytes() == b"one\nfour\n"


def test_a_file_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    """A directory stands there, or a file where a directory should be; the lock is let go."""
    (tmp_path / "spend.jsonl").mkdir()
    with pytest.raises(LedgerUnusable, match=r"Is a directory.*costs\.ledger"):
        Ledger(tmp_path / "spend.jsonl").open()
    (tmp_path / "spend.jsonl").rmdir()
    Ledger(tmp_path / "spend.jsonl").open()
    (tmp_path / "file").touch()
    with pytest.raises(LedgerUnusable):
        Ledger(tmp_path / "file" / "spend.jsonl").open()


def test_a_closed_ledger_takes_nothing(ledger: Ledger) -> None:
    """Closing twice is no error."""
    ledger.close()
    ledger.close()
    assert not ledger.is_open
    with pytest.raises(LedgerUnusable):
        ledger.append(b"one\n")
