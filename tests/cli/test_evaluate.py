from __future__ import annotations

import json
from pathlib import Path

from tests.training.rows import as_lines, messages, outcomes


def put(name: str, rows) -> str:
    """A file of rows in the working directory."""
    Path(name).write_bytes(b"".join(as_lines(rows)))
    return name


def test_a_model_is_judged_on_other_rows(command):
    """The fields that scripts rely on."""
    command("train", put("rows.jsonl", messages(160)), "--output", "mine.json")
    ran = command("evaluate", put("other.jsonl", messages(80, seed=2)), "--model", "mine.json", "-o", "json")
    found = json.loads(ran.out)
    assert ran.code == 0
    assert found["accuracy"] > 0.75
    assert set(found) >= {"accuracy", "accuracy_at_reject", "oos_recall", "auroc", "ece", "per_class", "n"}
    table = command("evaluate", "other.jsonl", "--model", "mine.json").out
    assert "accuracy" in table
    assert "PRECISION" in table


def test_an_outcome_model_is_judged_by_what_it_recovers(command):
    """With length and chance beside it."""
    command("train", put("rows.jsonl", outcomes(300)), "--target", "outcome", "--output", "mine.json")
    ran = command("evaluate", put("other.jsonl", outcomes(100, seed=2)), "--model", "mine.json", "-o", "json")
    assert {"apgr", "apgr_length", "apgr_random"} <= set(json.loads(ran.out))


def test_the_default_comes_along(command):
    """By its name, without a file."""
    rows = [{"text": "fix the typo in README.md", "label": "tactical"}]
    ran = command("evaluate", put("rows.jsonl", rows), "--model", "default", "-o", "json")
    assert (ran.code, json.loads(ran.out)["n"]) == (0, 1)


def test_what_cannot_be_judged_is_one_clear_line(command):
    """A foreign file, a label that the model does not know, and no such file."""
    put("rows.jsonl", messages(60))
    command("train", "rows.jsonl", "--output", "mine.json")
    put("upper.jsonl", [{"text": "x", "label": "TACTICAL"}])
    for arguments, words in (
        (("rows.jsonl", "--model", "rows.jsonl"), "rows.jsonl is no model file"),
        (("upper.jsonl", "--model", "mine.json"), "'TACTICAL'"),
        (("rows.jsonl", "--model", "none.json"), "none.json cannot be read"),
    ):
        ran = command("evaluate", *arguments)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith("error: ")
        assert words in ran.err
        assert ran.err.count("\n") == 1
