from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from pointsman.training.calibration import platt, softmax, temperature


def drawn(slope: float, offset: float, count: int = 4_000) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and truths that follow a logistic curve over them."""
    rng = np.random.default_rng(5)
    scores = rng.normal(size=count).astype(np.float32)
    return scores, rng.random(count) < 1.0 / (1.0 + np.exp(-(slope * scores + offset)))


def loss(slope: float, offset: float, scores: np.ndarray, truth: np.ndarray) -> float:
    """What Platt's method makes small, from his paper."""
    true, false = truth.sum(), (~truth).sum()
    target = np.where(truth, (true + 1) / (true + 2), 1 / (false + 2))
    odds = slope * scores.astype(float) + offset
    return float((np.log1p(np.exp(odds)) - target * odds).sum())


def test_platt_finds_the_curve_that_truths_were_drawn_from():
    """Within what 4,000 examples allow."""
    slope, offset = platt(*drawn(2.5, -1.0))
    assert (slope, offset) == (pytest.approx(2.5, abs=0.25), pytest.approx(-1.0, abs=0.15))


def test_nothing_near_is_better_than_what_platt_finds():
    """A grid about the solution, by brute force."""
    scores, truth = drawn(1.5, 0.5, 300)
    slope, offset = platt(scores, truth)
    best = loss(slope, offset, scores, truth)
    steps = (-0.1, -0.01, -0.001, 0.0, 0.001, 0.01, 0.1)
    assert all(
        loss(slope + one, offset + other, scores, truth) >= best - 1e-6
        for one, other in itertools.product(steps, repeat=2)
    )


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_platt_does_not_care_how_large_scores_are(scale: float):
    """The curve stretches with them."""
    scores, truth = drawn(2.0, 0.3)
    slope, offset = platt(scores, truth)
    wide, same = platt((scores * scale).astype(np.float32), truth)
    assert (wide * scale, same) == (pytest.approx(slope, rel=1e-2), pytest.approx(offset, abs=1e-2))


def test_scores_that_part_the_classes_do_not_make_it_certain():
    """Platt's targets keep the log-odds finite, even with one example on each side."""
    slope, offset = platt(np.array([-1.0, 1.0], dtype=np.float32), np.array([False, True]))
    assert 0.0 < slope < 10.0
    assert offset == pytest.approx(0.0, abs=1e-6)


def test_one_class_only_gives_a_curve_all_the_same():
    """Nothing divides by the number of the others."""
    slope, offset = platt(np.array([0.1, 0.5, 0.2], dtype=np.float32), np.array([True, True, True]))
    assert math.isfinite(slope)
    assert math.isfinite(offset)


def test_softmax_is_the_textbook_and_safe_for_large_scores():
    """Rows sum to one, and a thousand does not overflow."""
    found = softmax(np.array([[0.0, math.log(3.0)], [1000.0, 0.0]], dtype=np.float32))
    assert found == pytest.approx(np.array([[0.25, 0.75], [1.0, 0.0]]))


def test_temperature_is_the_best_of_a_fine_grid():
    """By brute force over factors from 0.1 to 20."""
    rng = np.random.default_rng(7)
    scores = rng.normal(size=(500, 4)).astype(np.float32)
    odds = softmax(scores * 3.0)
    truth = np.array([rng.choice(4, p=row / row.sum()) for row in odds])

    def nll(factor: float) -> float:
        return -float(np.log(softmax(scores * np.float32(factor))[np.arange(500), truth]).mean())

    grid = np.exp(np.linspace(math.log(0.1), math.log(20.0), 2_000))
    best = min(grid, key=nll)
    found = temperature(scores, truth)
    assert found == pytest.approx(best, rel=0.01)
    assert found == pytest.approx(3.0, rel=0.25)
