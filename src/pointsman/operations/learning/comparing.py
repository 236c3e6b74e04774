"""Sets a model beside what it must beat: the same rows judged by the commonest class, the length, and the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pointsman.training import baselines, metrics
from pointsman.training.dataset import Dataset, Labelled
from pointsman.training.evaluation import Judged, figures, outcome_figures
from pointsman.training.learning import Learnt


def compare(
    target: str,
    seed: int,
    data: Dataset,
    inside: Sequence[Labelled],
    judged_rows: Sequence[Labelled],
    judged: Judged,
    learnt: Learnt,
) -> tuple[dict[str, Any], dict[str, dict[str, Any]], bool]:
    """Return the model's figures, those of the baselines, and whether it beats them all.

    Args:
        target: `label` or `outcome`.
        seed: of chance as a baseline.
        data: what was learnt from.
        inside: its rows that are in scope.
        judged_rows: those that were judged.
        judged: what the model said of them.
        learnt: how it was learnt.
    """
    if target == "outcome":
        found = outcome_figures(judged.probabilities[:, 1], judged_rows, np.random.default_rng(seed))
        found["ece"] = figures(judged)["ece"]
        if learnt.apart is not None:
            gain = learnt.apart[:, 0].astype(np.float64)
            found["apgr_groups_left_out"] = outcome_figures(gain, judged_rows, np.random.default_rng(seed))["apgr"]
        beside = {"length": {"apgr": found["apgr_length"]}, "random": {"apgr": found["apgr_random"]}}
        own = found["apgr"]
        return found, beside, own is not None and all(own > (one["apgr"] or 0.5) for one in beside.values())
    classes, truth = len(data.classes), judged.truth
    labels = np.array([data.classes.index(row.label or "") for row in inside], dtype=np.int64)
    lengths = np.array([len(row.text) for row in inside], dtype=np.float64)
    asked = np.array([len(row.text) for row in judged_rows], dtype=np.float64)
    if len(learnt.fold):
        by_length = np.zeros((len(truth), classes))
        for one in np.unique(learnt.fold):
            here = learnt.fold == one
            by_length[here] = baselines.by_length(lengths[~here], labels[~here], classes, asked[here])
    else:
        by_length = baselines.by_length(lengths, labels, classes, asked)
    guesses: dict[str, metrics.Probabilities | None] = {
        "majority": baselines.majority(labels, classes, len(truth)),
        "length": by_length,
        "rules": baselines.by_rules([row.text for row in judged_rows], data.classes),
    }
    beside = {
        name: {
            key: value
            for key, value in figures(Judged(guess, truth, judged.classes, 0.0)).items()
            if key in {"accuracy", "balanced_accuracy", "auroc", "ece"}
        }
        for name, guess in guesses.items()
        if guess is not None
    }
    found = figures(judged)
    return found, beside, all(found["accuracy"] > one["accuracy"] for one in beside.values())
