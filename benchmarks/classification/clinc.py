"""CLINC150 (Larson et al. 2019), its official split: 150 classes, validation, and messages that fit none of them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.classification.figures import Figure, not_there
from benchmarks.classification.own import WANTED
from pointsman.core.classify.ask import extract
from pointsman.core.classify.model_file import build, write
from pointsman.core.classify.tokens import tokenize
from pointsman.operations.learning.course import train
from pointsman.training.dataset import Labelled
from pointsman.training.evaluation import figures, judge

PART = "CLINC150"
FILE = "clinc150_data_full.json"
Rows = list[tuple[str, str]]


def measure(data: Path) -> Iterator[Figure]:
    """Yield what training by validation reaches, and what a decision costs."""
    path = data / FILE
    if not path.is_file():
        yield not_there(PART, "150 classes", FILE)
        return
    found: dict[str, Rows] = json.loads(path.read_text("utf-8"))
    begun = time.monotonic()
    came = train(_lines(found["train"]), iter(_lines(found["val"] + found["oos_val"])), WANTED)
    took_s = time.monotonic() - begun
    model = build(came.stored, "clinc")
    test = [Labelled(text, _label(label)) for text, label in found["test"] + found["oos_test"]]
    on_test = figures(judge(model, came.stored.threshold, test, lambda tokens: ()))
    yield Figure(PART, "accuracy in scope, nothing turned away", on_test["accuracy"], 0.92, at_least=True)
    yield Figure(
        PART, "right in scope, 5 % of validation turned away", on_test["accuracy_at_reject"], 0.90, at_least=True
    )
    yield Figure(PART, "out of scope turned away", on_test["oos_recall"], 0.72, at_least=True)
    yield Figure(PART, "calibration error (ECE, 10 bins)", on_test["ece"], 0.03)
    yield Figure(PART, "training, with everything it tries", took_s, 120.0, unit="s")
    yield Figure(PART, "size of the model", len(write(came.stored)) / 1e6, 20.0, unit="MB")
    times = []
    for row in test:
        begun = time.perf_counter()
        left = extract(row.text)
        model.probabilities(model.score(row.text, left, tokenize(left)).values)
        times.append(time.perf_counter() - begun)
    yield Figure(PART, "a decision, p50", sorted(times)[len(times) // 2] * 1e3, 1.0, unit="ms")


def _label(label: str) -> str | None:
    return None if label == "oos" else label


def _lines(rows: Rows) -> list[bytes]:
    return [json.dumps({"text": text, "label": _label(label)}).encode() for text, label in rows]
