"""The pictures in the report of a training."""

from __future__ import annotations

from typing import Final

import numpy as np

from pointsman.operations.learning.course import Course
from pointsman.operations.report import words
from pointsman.operations.report.model import Block, Curve, Heat, Series, Table, Text, Tone, Value
from pointsman.training import metrics

MOST_IN_HEAT: Final = 16
"""Classes up to which the whole confusion is shown; of more, the most frequent cases."""

MOST_CONFUSIONS: Final = 20


def recovery(course: Course) -> Curve:
    """Return share of right answers as more and more messages go to the strong worker."""
    figures = course.figures
    weak, strong = figures["weak_ok"], figures["strong_ok"]
    low, high = min(weak, strong), max(right for _, right in figures["recovery"])
    return Curve(
        "Right answers, as more and more messages go to the strong worker, those it pays off most for first",
        ("share that goes to the strong worker", "right answers"),
        (0.0, 1.0),
        (max(0.0, low - 0.02), min(1.0, high + 0.02)),
        [
            Series("this model", figures["recovery"]),
            Series("chance", [(0.0, weak), (1.0, strong)], is_guide=True),
        ],
    )


def reliability(course: Course) -> Curve:
    """Return how often it is right, by how sure it is."""
    found = metrics.reliability(*_inside(course))
    return Curve(
        "How often it is right, by how sure it is",
        ("how sure it is", "how often it is right"),
        (0.0, 1.0),
        (0.0, 1.0),
        [
            Series("this model", [(sure, right) for sure, right, _ in found]),
            Series("as it should be", [(0.0, 0.0), (1.0, 1.0)], is_guide=True),
        ],
        notes=[words.count(of, "message") for _, _, of in found],
    )


def coverage(course: Course) -> Curve:
    """Return how often it is right on the messages it is surest of."""
    found = metrics.coverage_curve(*_inside(course))
    return Curve(
        "How often it is right on the messages it is surest of",
        ("share of the messages, the surest first", "how often it is right"),
        (0.0, 1.0),
        (_floor(min(right for _, right in found)), 1.0),
        [Series("this model", found)],
    )


def learning(course: Course) -> list[Block]:
    """Return what more rows brought, and in a sentence whether more would help."""
    curve = course.learnt.curve
    if len(curve) < 2:
        return [Text("There are too few rows to tell.", Tone.MUTED)]
    rise = curve[-1][1] - curve[-2][1]
    verdict = (
        f"The last doubling brought {100 * rise:.1f} points: more data would help."
        if rise > 0.01
        else f"The last doubling brought {100 * rise:.1f} points: more of the same data would help little."
    )
    return [
        Curve(
            "Accuracy by the number of rows learnt from",
            ("rows learnt from", "accuracy"),
            (0.0, float(curve[-1][0])),
            (_floor(min(right for _, right in curve)), 1.0),
            [Series("this model", [(float(rows), right) for rows, right in curve])],
            counts_along=True,
        ),
        Text(verdict),
    ]


def confusion(course: Course) -> Block:
    """Return what it takes for what: as a table of heat, or of many classes the most frequent cases."""
    probabilities, truth = _inside(course)
    classes = course.classes
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (truth, probabilities.argmax(axis=1)), 1)
    if len(classes) <= MOST_IN_HEAT:
        return Heat("Messages by their right class (rows) and the class found", "right", classes, counts.tolist())
    wrong = counts * (1 - np.eye(len(classes), dtype=np.int64))
    most = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CONFUSIONS]
    rows: list[list[Value]] = []
    for place in most.tolist():
        right, found = divmod(place, len(classes))
        if wrong[right, found]:
            rows.append([classes[right], classes[found], f"{wrong[right, found]:,} of {counts[right].sum():,}"])
    return Table(["right", "found", "#messages"], rows, "It takes no class for another.", "The most frequent.")


def _floor(share: float) -> float:
    """Return where an axis of shares begins: a full tenth below the lowest."""
    return max(0.0, int(share * 10.0 - 0.5) / 10.0)


def _inside(course: Course) -> tuple[metrics.Probabilities, metrics.Truth]:
    kept = course.judged.truth >= 0
    return course.judged.probabilities[kept], course.judged.truth[kept]
