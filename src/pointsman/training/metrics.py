"""Figures of how well probabilities fit the truth. Arrays in, numbers out."""

from __future__ import annotations

import itertools
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]
"""n x classes; rows sum to 1."""

Truth = NDArray[np.int64]
"""n; the number of the right class, -1 where none is (out of scope)."""

ECE_BINS: Final = 10


def accuracy(probabilities: Probabilities, truth: Truth) -> float:
    """Share of examples whose likeliest class is the right one; NaN without any."""
    return float((probabilities.argmax(axis=1) == truth).mean()) if len(truth) else math.nan


def ece(probabilities: Probabilities, truth: Truth, bins: int = ECE_BINS) -> float:
    """Expected calibration error: how far confidence is from accuracy, over bins of equal width (Guo et al. 2017)."""
    if not len(truth):
        return math.nan
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    total = 0.0
    for number in range(bins):
        here = place == number
        if here.any():
            total += float(here.mean()) * abs(float(confidence[here].mean()) - float(right[here].mean()))
    return total


def auroc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Chance that a positive example scores above a negative one, ties counting half; NaN without both kinds."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return math.nan
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2.0)[place]
    return float((ranks[positive].sum() - positives * (positives + 1) / 2.0) / (positives * negatives))


def mean_auroc(probabilities: Probabilities, truth: Truth) -> float:
    """AUROC of the second class of two; of more, the mean over the classes that occur, each against the rest."""
    if probabilities.shape[1] == 2:
        return auroc(probabilities[:, 1], truth == 1)
    found = [auroc(probabilities[:, number], truth == number) for number in np.unique(truth) if number >= 0]
    known = [one for one in found if not math.isnan(one)]
    return sum(known) / len(known) if known else math.nan


def balanced_accuracy(probabilities: Probabilities, truth: Truth) -> float:
    """Mean over the classes that occur of the share of its examples that were found; NaN without any."""
    chosen = probabilities.argmax(axis=1)
    shares = [float((chosen[truth == number] == number).mean()) for number in np.unique(truth) if number >= 0]
    return sum(shares) / len(shares) if shares else math.nan


def coverage_curve(probabilities: Probabilities, truth: Truth, points: int = 20) -> list[tuple[float, float]]:
    """Accuracy on the share of examples that it is surest of: `(coverage, accuracy)`, the surest first."""
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    right = (probabilities.argmax(axis=1) == truth)[order]
    curve = []
    for point in range(1, points + 1):
        kept = max(1, round(len(right) * point / points))
        curve.append((point / points, float(right[:kept].mean())))
    return curve


def reliability(probabilities: Probabilities, truth: Truth, bins: int = ECE_BINS) -> list[tuple[float, float, int]]:
    """Mean confidence, accuracy and number of examples of each bin that holds any."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    kept = [place == number for number in range(bins)]
    return [(float(confidence[here].mean()), float(right[here].mean()), int(here.sum())) for here in kept if here.any()]


def wilson(right: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of a share that holds it with 95 % confidence (Wilson 1927); the whole line without examples."""
    if not of:
        return 0.0, 1.0
    share = right / of
    middle = share + z * z / (2 * of)
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return (middle - spread) / (1 + z * z / of), (middle + spread) / (1 + z * z / of)


def recovery(
    gain_scores: NDArray[np.float64], weak_ok: NDArray[np.bool_], strong_ok: NDArray[np.bool_]
) -> list[tuple[float, float]]:
    """Share of right answers where 0, 10, ... 100 % of the examples go to the strong worker, by falling score.

    Returns:
        `(share that goes to the strong worker, share of right answers)`, eleven of them.
    """
    order = np.argsort(-gain_scores, kind="stable")
    found = []
    for tenth in range(11):
        answers = weak_ok.astype(np.float64)
        strong = order[: round(len(order) * tenth / 10)]
        answers[strong] = strong_ok[strong]
        found.append((tenth / 10.0, float(answers.mean())))
    return found


def apgr(gain_scores: NDArray[np.float64], weak_ok: NDArray[np.bool_], strong_ok: NDArray[np.bool_]) -> float:
    """Average performance gap recovered (Ong et al. 2024, "RouteLLM").

    The area between the line of `recovery` and the weak worker's is set against that of the strong worker's. 0.5 is
    chance; NaN where the strong worker is no better than the weak one.
    """
    gap = float(strong_ok.mean()) - float(weak_ok.mean())
    if gap <= 0.0:
        return math.nan
    heights = [right - float(weak_ok.mean()) for _, right in recovery(gain_scores, weak_ok, strong_ok)]
    area = sum((one + other) / 20.0 for one, other in itertools.pairwise(heights))
    return area / gap
