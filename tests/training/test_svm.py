from __future__ import annotations

import numpy as np
import pytest

from pointsman.training import svm
from pointsman.training.examples import Matrix

ROWS, FEATURES = 60, 12


def problem(seed: int = 1, scores: int = 1) -> tuple[Matrix, np.ndarray, np.ndarray]:
    """Sparse rows, signs that mostly follow a line, and weights that differ."""
    rng = np.random.default_rng(seed)
    columns = [np.sort(rng.choice(FEATURES, 4, replace=False)).astype(np.int32) for _ in range(ROWS)]
    values = [rng.random(4).astype(np.float32) + 0.2 for _ in range(ROWS)]
    sizes = rng.normal(size=(ROWS, 2)).astype(np.float32)
    line = rng.normal(size=(FEATURES, scores))
    raw = np.array([value @ line[column] for column, value in zip(columns, values, strict=True)])
    signs = np.where(raw + rng.normal(scale=0.3, size=raw.shape) > raw.mean(axis=0), 1.0, -1.0).astype(np.float32)
    return Matrix(columns, values, sizes), signs, (rng.random(ROWS) + 0.5).astype(np.float32)


def dense(data: Matrix) -> np.ndarray:
    """The same rows with every feature, the sizes and a one for the bias."""
    rows = np.zeros((ROWS, FEATURES + 3))
    for at, (column, value) in enumerate(zip(data.columns, data.values, strict=True)):
        rows[at, column] = value
    rows[:, FEATURES:-1] = data.sizes
    rows[:, -1] = 1.0
    return rows


def exact(data: Matrix, signs: np.ndarray, importance: np.ndarray, cost: float) -> np.ndarray:
    """The optimum by Newton's method on the primal, which is smooth: 1/2 |w|^2 + C sum c_i max(0, 1 - y w x)^2."""
    rows, weights = dense(data), np.zeros(FEATURES + 3)
    for _ in range(100):
        lack = 1.0 - signs * (rows @ weights)
        short = lack > 0.0
        scale = 2.0 * cost * importance * short
        gradient = weights - rows.T @ (scale * signs * lack)
        weights = weights - np.linalg.solve(np.eye(len(weights)) + rows.T @ (scale[:, None] * rows), gradient)
    return weights


def whole(found: svm.Weights) -> np.ndarray:
    """All weights as one array, the bias last."""
    return np.concatenate([found.features, found.sizes, found.bias[None, :]])


def fit(data: Matrix, signs: np.ndarray, importance: np.ndarray, cost: float, passes: int, seed: int = 0):
    """Learn with the order that a seed gives."""
    return svm.fit(
        data, signs, importance, features=FEATURES, cost=cost, passes=passes, rng=np.random.default_rng(seed)
    )


@pytest.mark.parametrize("cost", [0.1, 1.0, 10.0])
def test_many_passes_reach_the_exact_solution(cost: float):
    """Which Newton's method finds on the primal, by another way altogether; examples weigh differently."""
    data, signs, importance = problem()
    found = whole(fit(data, signs, importance, cost, passes=1_000))[:, 0]
    assert found == pytest.approx(exact(data, signs[:, 0], importance, cost), abs=5e-3)


def test_all_classes_at_once_are_each_class_alone():
    """Scores share the passes and nothing else."""
    data, signs, importance = problem(scores=3)
    together = whole(fit(data, signs, importance, 1.0, passes=20))
    alone = [whole(fit(data, signs[:, at : at + 1], importance, 1.0, passes=20))[:, 0] for at in range(3)]
    assert together == pytest.approx(np.array(alone).T, abs=1e-5)


def test_the_same_seed_gives_the_same_bytes():
    """And another seed other ones, before it has converged."""
    data, signs, importance = problem()
    one, same, other = (fit(data, signs, importance, 1.0, passes=1, seed=seed).features for seed in (4, 4, 5))
    assert one.tobytes() == same.tobytes()
    assert one.tobytes() != other.tobytes()


def test_each_pass_is_told():
    """Done, and of how many."""
    data, signs, importance = problem()
    heard: list[tuple[int, int]] = []
    rng = np.random.default_rng(0)
    svm.fit(
        data,
        signs,
        importance,
        features=FEATURES,
        cost=1.0,
        passes=3,
        rng=rng,
        told=lambda done, of: heard.append((done, of)),
    )
    assert heard == [(1, 3), (2, 3), (3, 3)]


def test_decide_is_the_product_of_rows_and_weights():
    """Features, sizes and bias."""
    data, signs, importance = problem(scores=2)
    found = fit(data, signs, importance, 1.0, passes=3)
    assert svm.decide(data, found) == pytest.approx(dense(data) @ whole(found), abs=1e-4)
