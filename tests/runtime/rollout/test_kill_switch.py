"""The kill switch: whatever is there kills, and so does what cannot be looked at."""

from __future__ import annotations

import errno
import os

import pytest

from pointsman.config.environment import KILL
from pointsman.config.overrides import from_environment
from pointsman.runtime.rollout.kill_switch import Kill, KillSwitch


def test_without_a_file_and_a_variable_nothing_is_held(tmp_path):
    """Nor where the directory of the file is not there, or is a file."""
    (tmp_path / "file").write_text("")
    for name in ("KILL", "nowhere/KILL", "file/KILL"):
        assert KillSwitch(tmp_path / name, "").look() is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [(b"smoke\nmore", "smoke"), (b"  smoke  ", "smoke"), (b"\xff", "\ufffd"), (b"x" * 9999, "x" * 200)],
)
def test_the_first_line_of_the_file_is_the_reason(tmp_path, text, reason):
    """Bounded, and whatever the bytes."""
    (tmp_path / "KILL").write_bytes(text)
    assert KillSwitch(tmp_path / "KILL", "").look() == Kill("kill_file", reason)


def test_an_empty_file_kills_too(tmp_path):
    """That it is there is enough."""
    (tmp_path / "KILL").touch()
    assert KillSwitch(tmp_path / "KILL", "").look() == Kill("kill_file", f"{tmp_path / 'KILL'} exists")


def test_a_directory_and_a_pipe_of_that_name_kill_and_are_not_waited_for(tmp_path):
    """A pipe without a writer would block whoever reads it."""
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, words in (("directory", "cannot be read"), ("pipe", "exists")):
        kill = KillSwitch(tmp_path / name, "").look()
        assert kill is not None
        assert words in kill.reason


@pytest.mark.parametrize("call", ["stat", "open"])
def test_a_file_that_cannot_be_read_kills(tmp_path, monkeypatch, call):
    """A switch that fails must fail to the side that is known to be good."""
    (tmp_path / "KILL").write_text("smoke")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, call, refuse)
    kill = KillSwitch(tmp_path / "KILL", "").look()
    monkeypatch.undo()
    assert kill is not None
    assert "Permission denied" in kill.reason


@pytest.mark.parametrize(
    ("value", "kills"), [("1", True), ("why not", True), ("0", False), ("", False), (" No ", False)]
)
def test_the_variable_kills_while_it_is_set(tmp_path, value, kills):
    """Empty, and the usual words for no, are not set."""
    kill = KillSwitch(tmp_path / "KILL", value).look()
    assert kill == (Kill("environment", f"POINTSMAN_ROLLOUT_KILL={value}") if kills else None)


def test_the_variable_is_no_setting():
    """It must not be taken for a key of the settings, which would keep the router from starting."""
    assert KILL == "POINTSMAN_ROLLOUT_KILL"
    assert from_environment({KILL: "1"}) == []
