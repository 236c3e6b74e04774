"""Judging a model by a file of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from pointsman.config.models import DEFAULT, default_stored, stored
from pointsman.core.classify.model_file import build
from pointsman.training.dataset import read
from pointsman.training.evaluation import figures, judge, outcome_figures
from pointsman.training.examples import marks_by

Told = Callable[[str, float], None]


def evaluate(
    lines: Iterable[bytes], model: Path, *, name: str, told: Told = lambda doing, share: None
) -> dict[str, Any]:
    """Return the figures of a model on rows.

    Args:
        lines: of the rows.
        model: its file, or `default` for the one that comes along.
        name: of the rows' file, for errors.
        told: hears of progress.

    Raises:
        ModelUnusable, DataUnusable, LabelsUnknown: see there.
    """
    of = default_stored() if str(model) == DEFAULT else stored(model)
    told("reading", 0.0)
    data = read(lines, target=of.target, name=name)
    judged = judge(
        build(of, str(model)),
        of.threshold,
        data.rows,
        marks_by(of.rules),
        told=lambda done, rows: told("judging", done / max(1, rows)),
    )
    found = figures(judged)
    if of.target == "outcome":
        found |= outcome_figures(judged.probabilities[:, 1], data.rows, np.random.default_rng(0))
    return {**found, "model": of.name}
