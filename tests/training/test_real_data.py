"""On real data that lie beside the checkout, where they do; they are not part of the project."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from pointsman.core.classify.model_file import build
from pointsman.operations.learning.course import Wanted, train
from pointsman.training.dataset import Labelled
from pointsman.training.evaluation import figures, judge
from tests.cli.conftest import SOURCE
from tests.training.rows import as_lines

DATA = SOURCE.parents[1] / "shared" / "data" / "classification"
MADE: dict[str, Any] = {"made": "2030-01-01T00:00:00Z", "made_by": "1"}


def there(name: str) -> Path:
    """A file of the data; without it the test is left out."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"data not present: {name}")
    return path


def test_gsm8k_routing_recovers_what_the_bar_asks():
    """APGR of at least 0.60 by folds, and more than the length alone."""
    with gzip.open(there("outcomes_gsm8k.jsonl.gz")) as lines:
        came = train(lines, None, Wanted(target="outcome", **MADE))
    assert came.figures["apgr"] >= 0.60
    assert came.beats


def test_thirty_intents_of_clinc_are_told_apart_and_strangers_turned_away():
    """By validation rows, with one in twenty of them turned away; the whole set is `make eval`'s."""
    data = json.loads(there("clinc150_data_full.json").read_text("utf-8"))
    chosen = set(sorted({label for _, label in data["train"]})[::5])

    def rows(*names: str) -> list[dict[str, str | None]]:
        found = [one for name in names for one in data[name]]
        return [
            {"text": text, "label": None if label == "oos" else label}
            for text, label in found
            if label in chosen or label == "oos"
        ]

    came = train(as_lines(rows("train")), iter(as_lines(rows("val", "oos_val"))), Wanted(pieces=False, **MADE))
    test = [Labelled(str(one["text"]), one["label"]) for one in rows("test", "oos_test")]
    found = figures(judge(build(came.stored, "m"), came.stored.threshold, test, lambda tokens: ()))
    assert found["accuracy"] >= 0.95
    assert found["accuracy_at_reject"] >= 0.90
    assert found["oos_recall"] >= 0.80
    assert found["ece"] <= 0.03
