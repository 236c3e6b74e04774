"""A linear support vector machine with squared hinge loss, all classes against the rest at once.

Dual coordinate descent (Hsieh et al. 2008, "A dual coordinate descent method for large-scale linear SVM", as in
LIBLINEAR's solver 1): one example at a time, its dual variables of all classes are set to their best in closed form.
Since every class looks at the same features, a step is a few vector operations, and some ten passes suffice. The bias
is a feature that is always there.

Deterministic by `rng`. Progress is told after each pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pointsman.training.examples import Matrix

Told = Callable[[int, int], None]
"""Called with passes done and passes in all."""


class Weights(NamedTuple):
    """What was learnt.

    Attributes:
        features: features x scores, float32.
        sizes: sizes x scores, float32.
        bias: scores, float32.
    """

    features: NDArray[np.float32]
    sizes: NDArray[np.float32]
    bias: NDArray[np.float32]


def fit(
    data: Matrix,
    signs: NDArray[np.float32],
    importance: NDArray[np.float32],
    *,
    features: int,
    cost: float,
    passes: int,
    rng: np.random.Generator,
    told: Told = lambda done, of: None,
) -> Weights:
    """Learn.

    Args:
        data: n examples.
        signs: n x scores, +1 where an example belongs to the class of that score, else -1.
        importance: n, above 0; what an example's mistakes cost.
        features: how many there are.
        cost: of mistakes against large weights (`C`), above 0.
        passes: over the examples.
        rng: the order of each pass.
        told: hears of each pass.
    """
    extra = data.sizes.shape[1] + 1
    scores = signs.shape[1]
    weights = np.zeros((features + extra, scores), dtype=np.float32)
    tail = np.arange(features, features + extra, dtype=np.int32)
    columns = [np.concatenate([one, tail]) for one in data.columns]
    ones = np.ones(1, dtype=np.float32)
    rows = [np.concatenate([value, size, ones]) for value, size in zip(data.values, data.sizes, strict=True)]
    slack = (1.0 / (2.0 * cost * importance)).astype(np.float32)
    curvature = np.array([float(row @ row) for row in rows], dtype=np.float32) + slack
    duals = np.zeros((len(rows), scores), dtype=np.float32)
    order = np.arange(len(rows))
    for done in range(passes):
        rng.shuffle(order)
        for at in order:
            column, row, sign, dual = columns[at], rows[at], signs[at], duals[at]
            here = weights[column]
            slope = sign * (row @ here) - 1.0 + slack[at] * dual
            better = np.maximum(dual - slope / curvature[at], 0.0)
            weights[column] = here + row[:, None] * ((better - dual) * sign)
            duals[at] = better
        told(done + 1, passes)
    return Weights(weights[:features], weights[features:-1], weights[-1])


def decide(data: Matrix, weights: Weights) -> NDArray[np.float32]:
    """Return the scores of examples: n x scores."""
    out = data.sizes @ weights.sizes + weights.bias
    for at, (column, value) in enumerate(zip(data.columns, data.values, strict=True)):
        out[at] += value @ weights.features[column]
    return out.astype(np.float32)
