"""From scores to probabilities that mean what they say.

Two classes: a logistic curve over the score (Platt 1999, with the targets of Lin, Lin and Weng 2007), fitted by
Newton's method. More classes: one temperature for all scores (Guo et al. 2017), found by golden section. Both are
fitted on scores of examples that the learner had not seen.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

_STEPS: Final = 100
_GOLDEN: Final = (math.sqrt(5.0) - 1.0) / 2.0


def platt(scores: NDArray[np.float32], truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and offset of the log-odds `slope x score + offset` of being true."""
    x = scores.astype(np.float64)
    true, false = int(truth.sum()), int((~truth).sum())
    target = np.where(truth, (true + 1.0) / (true + 2.0), 1.0 / (false + 2.0))
    slope, offset = 1.0, math.log((true + 1.0) / (false + 1.0))
    best = _loss(slope * x + offset, target)
    for _ in range(_STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(slope * x + offset, -40.0, 40.0)))
        off = p - target
        spread = np.maximum(p * (1.0 - p), 1e-12)
        gradient = np.array([off @ x, off.sum()])
        hessian = np.array([[spread @ (x * x), spread @ x], [spread @ x, spread.sum()]]) + 1e-10 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        gain, share = 0.0, 2.0
        while gain <= 0.0 and share > 1e-8:
            share /= 2.0
            gain = best - _loss((slope - share * step[0]) * x + (offset - share * step[1]), target)
        if gain <= 0.0:
            break
        slope, offset, best = slope - share * float(step[0]), offset - share * float(step[1]), best - gain
    return float(slope), float(offset)


def _loss(odds: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    return float((np.logaddexp(0.0, odds) - target * odds).sum())


def temperature(scores: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """Return the factor for all scores that makes their softmax fit best; above 0."""

    def loss(logarithm: float) -> float:
        return -float(np.log(softmax(scores * math.exp(logarithm))[np.arange(len(truth)), truth] + 1e-12).mean())

    low, high = math.log(0.05), math.log(100.0)
    inner, outer = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    left, right = loss(inner), loss(outer)
    for _ in range(40):
        if left < right:
            high, outer, right = outer, inner, left
            inner = high - _GOLDEN * (high - low)
            left = loss(inner)
        else:
            low, inner, left = inner, outer, right
            outer = low + _GOLDEN * (high - low)
            right = loss(outer)
    return math.exp((low + high) / 2.0)


def softmax(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return probabilities: n x classes, rows sum to 1."""
    wide = scores.astype(np.float64)
    odds = np.exp(wide - wide.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))
