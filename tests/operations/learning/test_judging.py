from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pointsman.core.classify.model_file import ModelUnusable, write
from pointsman.operations.learning.course import Course, Wanted, train
from pointsman.operations.learning.judging import evaluate
from pointsman.training.evaluation import LabelsUnknown
from tests.training.rows import as_lines, messages, outcomes


def kept(directory: Path, rows, **wanted) -> tuple[Path, Course]:
    """A model in a file, and how it came about."""
    came = train(as_lines(rows), None, Wanted(made="2030-01-01T00:00:00Z", made_by="1", **wanted))
    path = directory / "model.json"
    path.write_bytes(write(came.stored))
    return path, came


def test_a_model_is_judged_on_other_rows(tmp_path: Path):
    """The figures that the command promises, for rows of another seed."""
    path, came = kept(tmp_path, messages(200))
    found = evaluate(as_lines(messages(100, seed=5)), path, name="rows")
    assert found["accuracy"] > 0.8
    assert {"accuracy_at_reject", "oos_recall", "auroc", "ece", "per_class", "n"} <= set(found)
    assert (found["n"], found["model"]) == (100, came.stored.name)


def test_an_outcome_model_is_judged_by_what_it_recovers(tmp_path: Path):
    """Beside length and chance."""
    path, _ = kept(tmp_path, outcomes(400), target="outcome")
    found = evaluate(as_lines(outcomes(200, seed=5)), path, name="rows")
    assert found["apgr"] > 0.7 > found["apgr_length"]
    assert 0.2 < found["apgr_random"] < 0.8


def test_the_default_is_judged_like_any_other():
    """It comes along, so it needs no file."""
    rows: list[dict[str, Any]] = [
        {"text": "write a migration plan, weigh the risks", "label": "strategic"},
        {"text": "fix", "label": None},
    ]
    found = evaluate(as_lines(rows), Path("default"), name="rows")
    assert (found["n"], found["n_out_of_scope"]) == (1, 1)


def test_labels_that_it_does_not_know_are_named(tmp_path: Path):
    """In other case, too."""
    path, _ = kept(tmp_path, messages(60))
    with pytest.raises(LabelsUnknown, match="'STRATEGIC'"):
        evaluate(as_lines([{"text": "x", "label": "STRATEGIC"}]), path, name="rows")


def test_a_file_that_is_no_model_is_named(tmp_path: Path):
    """Cut off, foreign, or not there."""
    path, _ = kept(tmp_path, messages(60))
    path.write_bytes(path.read_bytes()[:500])
    for file in (path, tmp_path / "none.json"):
        with pytest.raises(ModelUnusable, match=file.name):
            evaluate(as_lines(messages(20)), file, name="rows")
