from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import SOURCE
from tests.training.rows import as_lines, messages, outcomes


def put(name: str, rows) -> str:
    """A file of rows in the working directory."""
    Path(name).write_bytes(b"".join(as_lines(rows)))
    return name


def test_a_model_is_written_and_its_figures_are_shown(command):
    """Beside the baselines, with the classes and the surest mistakes."""
    ran = command("train", put("rows.jsonl", messages(160)), "--output", "mine.json")
    assert ran.code == 0, ran.err
    assert Path("mine.json").stat().st_size > 1_000
    for words in ("this model", "majority", "length", "rules", "tactical", "ITS SUREST MISTAKES", "five folds"):
        assert words in ran.out


def test_json_holds_every_figure(command):
    """For scripts: one document, and nothing on standard output beside it."""
    ran = command("train", put("rows.jsonl", messages(160)), "--output", "mine.json", "-o", "json", "--name", "mine")
    found = json.loads(ran.out)
    assert (ran.code, found["name"], found["model"]) == (0, "mine", "mine.json")
    assert found["beats_baselines"] is True
    assert found["bytes"] == Path("mine.json").stat().st_size
    assert found["figures"]["accuracy"] > found["baselines"]["majority"]["accuracy"]
    assert len(found["learning_curve"]) == 4
    assert found["fits"] <= 12


def test_the_same_seed_writes_the_same_model(command):
    """But for the instant at which it was made; another seed may write another."""
    rows = put("rows.jsonl", messages(80))
    for name, seed in (("a", "1"), ("b", "1")):
        command("train", rows, "--output", f"{name}.json", "--seed", seed)
    one, same = (json.loads(Path(f"{name}.json").read_text("utf-8")) for name in "ab")
    assert one | {"made": ""} == same | {"made": ""}


def test_several_files_are_one(command):
    """As a shell gives them for `data/*.jsonl`."""
    rows = messages(120)
    put("a.jsonl", rows[:60])
    put("b.jsonl", rows[60:])
    ran = command("train", "a.jsonl", "b.jsonl", "--output", "mine.json", "-o", "json")
    assert json.loads(ran.out)["data"]["rows"] == 120


def test_a_model_that_is_not_better_ends_with_3_and_is_written_all_the_same(command):
    """Random labels: a warning, and a code that a script can branch on."""
    rows = [{**one, "label": "strategic" if at * 7919 % 11 < 7 else "tactical"} for at, one in enumerate(messages(150))]
    ran = command("train", put("rows.jsonl", rows), "--output", "mine.json")
    assert ran.code == 3
    assert "warning: the model does not beat the baselines" in ran.err
    assert Path("mine.json").exists()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (messages(10), "rows.jsonl: 10 rows with a label, expected at least 20"),
        ([{"label": "a"}] * 30, "line 1: Object missing required field `text`"),
        ([{"text": "a"}] * 30, "line 1: Object missing required field `label`"),
        ([{"text": f"a {at}", "label": "x"} for at in range(30)], "rows of only 'x'"),
        ([{"text": f"a {at}", "label": ("x", "X")[at % 2]} for at in range(30)], "differ in case"),
    ],
)
def test_rows_that_are_of_no_use_end_with_1_and_write_nothing(command, rows, words: str):
    """What is wrong, and where; a model that was there stays as it was."""
    Path("mine.json").write_text("as it was", "utf-8")
    ran = command("train", put("rows.jsonl", rows), "--output", "mine.json")
    assert ran.code == 1
    assert ran.err.startswith("error: ")
    assert words in ran.err
    assert "Traceback" not in ran.err
    assert Path("mine.json").read_text("utf-8") == "as it was"


def test_a_model_that_cannot_be_written_is_said_before_an_hour_of_learning(command):
    """Not after it."""
    ran = command("train", put("rows.jsonl", messages(60)), "--output", "no/such/directory/mine.json")
    assert ran.code == 1
    assert ran.err == "error: no/such/directory/mine.json cannot be written: there is no directory no/such/directory\n"


def test_a_page_or_a_document_is_written_by_its_name(command):
    """Where the figures can be looked at."""
    rows = put("rows.jsonl", outcomes(120))
    for name, begins in (("report.html", "<!DOCTYPE html>"), ("report.md", "# Classifier ")):
        ran = command("train", rows, "--target", "outcome", "--output", "mine.json", "--report", name)
        assert ran.code in {0, 3}
        assert Path(name).read_text("utf-8").startswith(begins)
        assert "pointsman model use mine.json" in Path(name).read_text("utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="data not present: other systems have other terminals")
def test_a_person_sees_a_bar_on_the_error_stream_only(tmp_path: Path):
    """In a terminal of its own; standard output stays a clean document."""
    (tmp_path / "rows.jsonl").write_bytes(b"".join(as_lines(messages(400))))
    ours, theirs = pty.openpty()
    ran = subprocess.run(
        [sys.executable, "-m", "pointsman", "train", "rows.jsonl", "--output", "mine.json", "-o", "json"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(SOURCE), "TERM": "xterm-256color", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=True,
    )
    os.close(theirs)
    os.set_blocking(ours, False)
    seen = os.read(ours, 65_536).decode("utf-8", "replace")
    os.close(ours)
    assert "%" in seen
    assert json.loads(ran.stdout)["beats_baselines"] is True
