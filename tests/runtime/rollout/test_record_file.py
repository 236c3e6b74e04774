"""The file of a record: whole lines or none, one writer, and nothing that somebody else did goes unseen."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pointsman.model.errors import RecordUnusable
from pointsman.runtime.rollout import record_file as module
from pointsman.runtime.rollout.record_file import LONGEST_BYTES, RecordChanged, RecordFile, RecordHeld, holder


def opened(path: Path) -> RecordFile:
    """Return a file that is open."""
    file = RecordFile(path)
    file.open(holder())
    return file


def test_lines_are_there_for_the_next_one_who_opens_it(tmp_path):
    """And nobody else may read them: the file is its owner's."""
    file = opened(tmp_path / "a" / "record")
    file.append(b"one\n")
    file.append(b"two\n")
    file.close()
    file.close()
    assert not file.is_open
    assert RecordFile(tmp_path / "a" / "record").open("me") == b"one\ntwo\n"
    assert (tmp_path / "a" / "record").stat().st_mode & 0o077 == 0


def test_each_line_is_on_the_disk_before_the_call_returns(tmp_path, monkeypatch):
    """Forced there, once a line; so is the directory, when the file is made."""
    synced: list[int] = []
    real = os.fsync

    def fsync(file: int) -> None:
        synced.append(os.fstat(file).st_size)
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    file = opened(tmp_path / "record")
    assert len(synced) == 1
    file.append(b"one\n")
    file.append(b"three\n")
    assert synced[1:] == [4, 10]
    file.close()


@pytest.mark.parametrize("fault", ["write", "short", "fsync"])
def test_a_disk_that_refuses_leaves_no_half_line(tmp_path, monkeypatch, fault):
    """No room, room for a part, or a sync that fails: an error that says why, and the file is as it was."""
    file = opened(tmp_path / "record")
    file.append(b"one\n")
    with monkeypatch.context() as broken:
        if fault == "short":
            write = os.write
            broken.setattr(os, "write", lambda number, data: write(number, data[:2]))
        else:
            broken.setattr(os, fault, _no_space)
        with pytest.raises(RecordUnusable, match="only 2 of 4 bytes" if fault == "short" else "No space left"):
            file.append(b"two\n")
    assert (tmp_path / "record").read_bytes() == b"one\n"
    file.append(b"two\n")
    assert (tmp_path / "record").read_bytes() == b"one\ntwo\n"
    file.close()


def _no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_half_a_line_that_could_not_be_taken_away_is_taken_away_first(tmp_path, monkeypatch):
    """It is our own and no sign that somebody else has written."""
    file = opened(tmp_path / "record")
    write = os.write
    with monkeypatch.context() as broken:
        broken.setattr(os, "write", lambda number, data: write(number, data[:2]))
        broken.setattr(os, "ftruncate", _no_space)
        with pytest.raises(RecordUnusable):
            file.append(b"one\n")
        with pytest.raises(RecordUnusable, match="No space left"):
            file.append(b"one\n")
    assert (tmp_path / "record").read_bytes() == b"on"
    file.append(b"one\n")
    assert (tmp_path / "record").read_bytes() == b"one\n"
    file.close()


def test_a_torn_end_is_cut_off(tmp_path):
    """And the next line stands where it was."""
    (tmp_path / "record").write_bytes(b"one\ntw")
    file = opened(tmp_path / "record")
    file.cut(4)
    file.append(b"two\n")
    assert (tmp_path / "record").read_bytes() == b"one\ntwo\n"
    file.close()


def test_a_second_one_is_told_who_holds_it(tmp_path):
    """In this process too, as two routers may live in one; when it is let go, the next may have it."""
    file = opened(tmp_path / "record")
    with pytest.raises(RecordHeld, match=rf"process {os.getpid()} on .* holds it"):
        RecordFile(tmp_path / "record").open("other")
    file.append(b"one\n")
    file.close()
    assert RecordFile(tmp_path / "record").open("other") == b"one\n"


def test_a_second_process_is_kept_out_until_the_first_has_died(tmp_path):
    """Killed, without a word: its lock is gone with it."""
    program = (
        "import sys, pathlib\n"
        "from pointsman.runtime.rollout.record_file import RecordFile, holder\n"
        "file = RecordFile(pathlib.Path(sys.argv[1])); file.open(holder()); file.append(b'theirs\\n')\n"
        "print('ready', flush=True); sys.stdin.read()\n"
    )
    source = str(Path(__file__).parents[3] / "src")
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "record")],
        env={"PYTHONPATH": source},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        with pytest.raises(RecordHeld, match=f"process {child.pid} on "):
            RecordFile(tmp_path / "record").open(holder())
        child.kill()
        child.wait()
        assert RecordFile(tmp_path / "record").open(holder()) == b"theirs\n"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.write_bytes(b"one\nmore\n"), "it is 9 bytes long, and this router left it with 4"),
        (lambda path: path.unlink(), "somebody has taken it away"),
        (lambda path: (path.rename(f"{path}.old"), path.write_bytes(b"one\n")), "another file in its place"),
    ],
)
def test_what_somebody_else_did_is_found_before_anything_is_written(tmp_path, change, words):
    """And nothing is written to what is not as it was left."""
    path = tmp_path / "record"
    file = opened(path)
    file.append(b"one\n")
    change(path)
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(RecordChanged, match=words):
        file.append(b"two\n")
    assert (path.read_bytes() if path.exists() else None) == before
    file.close()


def test_what_cannot_be_a_record_is_not_read(tmp_path):
    """A directory, a place below a file, a file of a size that no record has; the lock is let go each time."""
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with (tmp_path / "huge").open("wb") as huge:
        huge.truncate(LONGEST_BYTES + 1)
    for name, words in (
        ("directory", "Is a directory"),
        ("file/record", "File exists|Not a directory"),
        ("huge", "which no record is"),
    ):
        for _ in range(2):
            with pytest.raises(RecordUnusable, match=words) as error:
                RecordFile(tmp_path / name).open("me")
            assert not isinstance(error.value, RecordHeld)


def test_a_file_that_is_closed_takes_nothing(tmp_path):
    """It says so, as for any disk that refuses."""
    file = opened(tmp_path / "record")
    file.close()
    with pytest.raises(RecordUnusable):
        file.append(b"one\n")
    assert module.RecordFile(tmp_path / "record").open("me") == b""


def test_a_device_is_no_record():
    """It would never end."""
    with pytest.raises(RecordUnusable, match="no file but a device or a pipe"):
        RecordFile(Path("/dev/zero")).open("us")
