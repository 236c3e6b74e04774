"""The file of what was learnt: whole or not at all, and nothing of it is believed that does not fit."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from pointsman.core.classify.delta import Cell, Delta
from pointsman.core.classify.trial import Standing
from pointsman.runtime.learning_file import LearningFile, Learnt


def learnt(**fields: object) -> Learnt:
    """What two senders have taught of three features."""
    delta = Delta(1)
    delta.learn("a", [1, 2], [0.3, 0.7], 0, 1.0)
    delta.learn("ü", [2, 3], [0.3, 0.7], 1, 0.5)
    known = {"fingerprint": "f", "width": 1, "standing": Standing(count=2, senders={"a": (1.0, 0.5)})}
    return Learnt(**{**known, "cells": dict(delta.cells), **fields})  # type: ignore[arg-type]


def test_what_is_written_is_read_again_to_the_last_digit(tmp_path: Path) -> None:
    """Directories on the way are made, and only its owner may read it."""
    file = LearningFile(tmp_path / "a" / "b" / "f.feedback")
    assert file.read("f", 1) is None
    file.write(msgspec.json.encode(learnt()))
    assert file.read("f", 1) == learnt()
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(file.path.parent) == ["f.feedback"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is damaged"),
        (msgspec.json.encode(learnt())[:-20], "it is damaged"),
        (b"\xff\xfe", "it is damaged"),
        (b"[" * 100_000, "it is damaged"),
        (msgspec.json.encode(learnt(fingerprint="g")), "of another model"),
        (msgspec.json.encode(learnt(schema=2)), "of a newer Pointsman"),
        (msgspec.json.encode(learnt(format="other")), "of another model"),
        (msgspec.json.encode(learnt(width=3)), "of another model"),
        (msgspec.json.encode(learnt(cells={1: {1: Cell(0.1, 0.1, {"a": 0.1})}})), "of no such class"),
    ],
)
def test_what_does_not_fit_is_put_aside_and_said(tmp_path: Path, data: bytes, why: str) -> None:
    """The next write begins anew, and what was there can still be looked at."""
    file = LearningFile(tmp_path / "f.feedback")
    file.path.write_bytes(data)
    with pytest.raises(ValueError, match=f"{why}.*put aside as f.feedback.unreadable"):
        file.read("f", 1)
    assert (tmp_path / "f.feedback.unreadable").read_bytes() == data
    assert file.read("f", 1) is None


def test_a_place_that_cannot_be_used_is_an_error_and_nothing_is_lost(tmp_path: Path) -> None:
    """A directory in the place of the file; a file in the place of the directory."""
    (tmp_path / "f.feedback").mkdir()
    with pytest.raises(ValueError, match="directory"):
        LearningFile(tmp_path / "f.feedback").read("f", 1)
    (tmp_path / "file").write_text("")
    assert LearningFile(tmp_path / "file" / "f.feedback").read("f", 1) is None
    with pytest.raises(OSError, match=r"directory|exists"):
        LearningFile(tmp_path / "file" / "f.feedback").write(b"x")
