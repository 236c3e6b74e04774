"""The data of the model that comes along, judged by folds of whole groups; and its like on figures it must not need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.classification.figures import Figure
from benchmarks.classification.own import WANTED, lines, texts
from pointsman.operations.learning.course import train
from pointsman.training.duplicates import near_duplicates

PART = "default"


def measure(data: Path) -> Iterator[Figure]:
    """Yield the figures of the project's own messages, beside the baselines."""
    came = train(lines(), None, WANTED)
    yield Figure(PART, "messages", float(came.data["rows"]), 1_500.0, at_least=True)
    yield Figure(PART, "accuracy, folds of whole groups", came.figures["accuracy"], 0.85, at_least=True)
    yield Figure(PART, "AUROC", came.figures["auroc"])
    yield Figure(PART, "calibration error (ECE, 10 bins)", came.figures["ece"])
    for name, of in came.baselines.items():
        yield Figure(PART, f"   {name} alone, beside it: accuracy", of["accuracy"])
    yield Figure(PART, "AUROC of length alone", came.baselines["length"]["auroc"], 0.70)
    pairs = near_duplicates(texts())
    share = len({at for pair in pairs for at in pair}) / came.data["rows"]
    yield Figure(PART, "messages with a near-duplicate", 100.0 * share, 2.0, unit="%")
