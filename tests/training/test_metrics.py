from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.training import metrics

SURE = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.45, 0.55]])
TRUTH = np.array([0, 1, 1, 1])


def naive_auroc(scores: list[float], positive: list[bool]) -> float:
    """Every pair of a positive and a negative, one by one."""
    wins = [
        1.0 if one > other else 0.5 if one == other else 0.0
        for one, is_one in zip(scores, positive, strict=True)
        for other, is_other in zip(scores, positive, strict=True)
        if is_one and not is_other
    ]
    return sum(wins) / len(wins)


def naive_ece(probabilities: list[list[float]], truth: list[int]) -> float:
    """Ten bins, each example put into its own by hand."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for row, right in zip(probabilities, truth, strict=True):
        sure = max(row)
        bins.setdefault(min(9, int(sure * 10)), []).append((sure, row.index(sure) == right))
    return sum(
        abs(sum(sure for sure, _ in held) - sum(right for _, right in held)) / len(truth) for held in bins.values()
    )


def test_accuracy_is_the_share_whose_likeliest_class_is_right():
    """Three of four: the third is called the first class, and is of the second."""
    assert metrics.accuracy(SURE, TRUTH) == 0.75


def test_without_examples_there_is_no_figure():
    """Nothing judged is not the same as everything wrong."""
    nothing, none = np.zeros((0, 2)), np.zeros(0, dtype=np.int64)
    found = [
        metrics.accuracy(nothing, none),
        metrics.ece(nothing, none),
        metrics.balanced_accuracy(nothing, none),
        metrics.mean_auroc(np.zeros((0, 3)), none),
    ]
    assert all(map(math.isnan, found))


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_auroc_is_what_all_pairs_say(rows: list[tuple[int, bool]]):
    """Ranks with ties at their mean give exactly the share of pairs in the right order."""
    scores, positive = [float(one) for one, _ in rows], [one for _, one in rows]
    found = metrics.auroc(np.array(scores), np.array(positive))
    if len(set(positive)) < 2:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(naive_auroc(scores, positive))


def test_auroc_of_more_classes_is_the_mean_of_each_against_the_rest():
    """A class that does not occur counts for nothing."""
    rng = random.Random(1)
    rows = [[rng.random() for _ in range(4)] for _ in range(40)]
    probabilities = np.array([[one / sum(row) for one in row] for row in rows])
    truth = np.array([rng.randrange(3) for _ in range(40)])
    each = [naive_auroc(list(probabilities[:, one]), list(truth == one)) for one in range(3)]
    assert metrics.mean_auroc(probabilities, truth) == pytest.approx(sum(each) / 3)


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 1)), min_size=1, max_size=40))
def test_ece_is_what_ten_bins_by_hand_say(rows: list[tuple[int, int]]):
    """The same bins, the same differences, weighted by how many are in them."""
    probabilities = [[one / 100, 1 - one / 100] for one, _ in rows]
    truth = [right for _, right in rows]
    assert metrics.ece(np.array(probabilities), np.array(truth)) == pytest.approx(naive_ece(probabilities, truth))


def test_perfect_confidence_has_no_calibration_error():
    """Sure and right."""
    assert metrics.ece(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1])) == 0.0


def test_balanced_accuracy_counts_classes_alike():
    """One of one, and two of three."""
    assert metrics.balanced_accuracy(SURE, TRUTH) == pytest.approx((1.0 + 2 / 3) / 2)


def test_coverage_begins_with_the_surest_and_ends_with_all():
    """Of four, the surest two are right; the third, at 0.6, is not."""
    assert metrics.coverage_curve(SURE, TRUTH, points=4) == [(0.25, 1.0), (0.5, 1.0), (0.75, 2 / 3), (1.0, 0.75)]


def test_reliability_names_only_bins_that_hold_something():
    """Confidence, share right and number, bin by bin."""
    found = metrics.reliability(SURE, TRUTH)
    assert [(round(sure, 2), right, count) for sure, right, count in found] == [
        (0.55, 1.0, 1),
        (0.6, 0.0, 1),
        (0.8, 1.0, 1),
        (0.9, 1.0, 1),
    ]


def test_wilson_is_the_interval_of_the_books():
    """Agresti and Coull 1998 print 0 of 10 as (0, 0.278); 81 of 263 is Newcombe's example, (0.2553, 0.3662)."""
    assert metrics.wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert metrics.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert metrics.wilson(0, 0) == (0.0, 1.0)


WEAK = np.array([True, False, False, True, False, True, False, True, True, False])
STRONG = np.array([True, True, True, True, False, True, True, True, True, False])


def test_recovery_is_what_each_tenth_brings():
    """Three examples gain; asked for first, the first three tenths bring a tenth of right answers each."""
    gain = (STRONG & ~WEAK).astype(float)
    heights = [right for _, right in metrics.recovery(gain, WEAK, STRONG)]
    assert heights == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8])


def test_apgr_by_hand():
    """Best order: the area over the weak worker is 0.05 + 0.15 + 0.25 and seven times 0.3, tenths of it, over 0.3."""
    gain = (STRONG & ~WEAK).astype(float)
    assert metrics.apgr(gain, WEAK, STRONG) == pytest.approx((0.05 + 0.15 + 0.25 + 7 * 0.3) / 10 / 0.3)
    assert metrics.apgr(-gain, WEAK, STRONG) == pytest.approx((0.05 + 0.15 + 0.25) / 10 / 0.3)


def test_apgr_of_chance_is_a_half():
    """The mean over many orders comes to one half."""
    rng = np.random.default_rng(3)
    found = [metrics.apgr(rng.random(10), WEAK, STRONG) for _ in range(2_000)]
    assert sum(found) / len(found) == pytest.approx(0.5, abs=0.01)


def test_no_gap_no_apgr():
    """Where the strong worker is no better there is nothing to recover."""
    assert math.isnan(metrics.apgr(np.zeros(10), STRONG, WEAK))
