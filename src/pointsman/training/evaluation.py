"""How a model does on rows: judged by the very code that answers messages, row by row."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pointsman.core.classify.ask import extract
from pointsman.core.classify.linear import LinearModel
from pointsman.core.classify.tokens import tokenize
from pointsman.model.errors import PointsmanError
from pointsman.training import metrics
from pointsman.training.dataset import Labelled
from pointsman.training.examples import Marks

Told = Callable[[int, int], None]
"""Called with rows done and rows in all."""


class LabelsUnknown(PointsmanError):
    """Rows bear labels that the model has no class for."""

    code = "labels_unknown"
    http_status = 422


class Judged(NamedTuple):
    """What a model said of rows.

    Attributes:
        probabilities: n x classes.
        truth: n; -1 is out of scope.
        classes: of the model.
        threshold: of the model.
    """

    probabilities: metrics.Probabilities
    truth: metrics.Truth
    classes: tuple[str, ...]
    threshold: float


def judge(
    model: LinearModel, threshold: float, rows: Sequence[Labelled], marks: Marks, told: Told = lambda done, of: None
) -> Judged:
    """Return what a model says of rows.

    Raises:
        LabelsUnknown: a label is none of its classes.
    """
    number = {name: at for at, name in enumerate(model.classes)}
    lost = sorted({row.label for row in rows if row.label is not None} - set(number))
    if lost:
        shown = ", ".join(map(repr, lost[:5]))
        raise LabelsUnknown(
            f"{len(lost)} labels are no class of this model, such as {shown}; its classes are"
            f" {', '.join(map(repr, model.classes[:10]))}; case counts"
        )
    found = np.zeros((len(rows), len(model.classes)))
    for at, row in enumerate(rows):
        text = extract(row.text)
        tokens = tokenize(text)
        found[at] = model.probabilities(model.score(row.text, text, tokens, marks(tokens)).values)
        if at % 500 == 0:
            told(at, len(rows))
    truth = np.array([-1 if row.label is None else number[row.label] for row in rows], dtype=np.int64)
    return Judged(found, truth, model.classes, threshold)


def figures(judged: Judged) -> dict[str, Any]:
    """Return the figures of `pointsman evaluate`, by name; None where there are no rows for one."""
    inside = judged.truth >= 0
    probabilities, truth = judged.probabilities[inside], judged.truth[inside]
    confidence = judged.probabilities.max(axis=1)
    kept = confidence[inside] >= judged.threshold
    right = probabilities.argmax(axis=1) == truth
    return {
        "accuracy": _number(metrics.accuracy(probabilities, truth)),
        "accuracy_at_reject": _number(float((right & kept).mean())) if len(truth) else None,
        "oos_recall": _number(float((confidence[~inside] < judged.threshold).mean())) if (~inside).any() else None,
        "auroc": _number(metrics.mean_auroc(probabilities, truth)),
        "ece": _number(metrics.ece(probabilities, truth)),
        "per_class": per_class(probabilities, truth, judged.classes),
        "n": len(truth),
        "n_out_of_scope": int((~inside).sum()),
        "oos_auroc": _number(metrics.auroc(confidence, inside)),
        "balanced_accuracy": _number(metrics.balanced_accuracy(probabilities, truth)),
        "rejected_share": _number(float((~kept).mean())) if len(truth) else None,
        "threshold": judged.threshold,
    }


def per_class(
    probabilities: metrics.Probabilities, truth: metrics.Truth, classes: Sequence[str]
) -> dict[str, dict[str, float | int | None]]:
    """Return recall, precision and number of examples by class."""
    chosen = probabilities.argmax(axis=1) if len(truth) else np.zeros(0, dtype=np.int64)
    found: dict[str, dict[str, float | int | None]] = {}
    for number, name in enumerate(classes):
        mine, taken = truth == number, chosen == number
        found[name] = {
            "recall": _number(float(taken[mine].mean())) if mine.any() else None,
            "precision": _number(float(mine[taken].mean())) if taken.any() else None,
            "n": int(mine.sum()),
        }
    return found


def outcome_figures(gain: NDArray[np.float64], rows: Sequence[Labelled], rng: np.random.Generator) -> dict[str, Any]:
    """Return what routing by `gain` recovers of the strong worker's lead, beside length alone and chance."""
    weak = np.array([row.weak_ok for row in rows])
    strong = np.array([row.strong_ok for row in rows])
    lengths = np.array([len(row.text) for row in rows], dtype=np.float64)
    return {
        "apgr": _number(metrics.apgr(gain, weak, strong)),
        "apgr_length": _number(metrics.apgr(lengths, weak, strong)),
        "apgr_random": _number(metrics.apgr(rng.random(len(rows)), weak, strong)),
        "weak_ok": _number(float(weak.mean())),
        "strong_ok": _number(float(strong.mean())),
        "recovery": [(share, round(right, 6)) for share, right in metrics.recovery(gain, weak, strong)],
        "n": len(rows),
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)
