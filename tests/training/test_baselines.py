from __future__ import annotations

import math

import numpy as np
import pytest

from pointsman.core.classify.golden import GOLDEN
from pointsman.training import metrics
from pointsman.training.baselines import by_length, by_rules, majority


def test_the_majority_says_the_shares_of_the_classes_to_everyone():
    """Three of the first class and one of the second."""
    assert majority(np.array([0, 0, 1, 0]), 2, 2).tolist() == [[0.75, 0.25], [0.75, 0.25]]


def test_length_tells_apart_what_length_tells_apart():
    """Short ones of the first class, long ones of the second."""
    lengths = np.array([9.0, 11.0, 10.0, 400.0, 500.0, 450.0])
    labels = np.array([0, 0, 0, 1, 1, 1])
    found = by_length(lengths, labels, 2, np.array([12.0, 300.0]))
    assert found.argmax(axis=1).tolist() == [0, 1]
    assert found.sum(axis=1) == pytest.approx([1.0, 1.0])


def test_length_is_a_normal_curve_a_class_times_its_share():
    """By hand, from the textbook."""
    lengths, labels = np.array([10.0, 40.0, 100.0, 300.0, 800.0]), np.array([0, 0, 1, 1, 1])
    asked = 150.0
    odds = []
    for one in (0, 1):
        mine = [math.log1p(length) for length, label in zip(lengths, labels, strict=True) if label == one]
        middle = sum(mine) / len(mine)
        spread = math.sqrt(sum((value - middle) ** 2 for value in mine) / len(mine))
        odds.append(len(mine) / 5 / spread * math.exp(-0.5 * ((math.log1p(asked) - middle) / spread) ** 2))
    found = by_length(lengths, labels, 2, np.array([asked]))[0]
    assert found == pytest.approx([one / sum(odds) for one in odds])


def test_a_class_without_rows_or_without_spread_divides_by_nothing():
    """Such as in a fold that has none of it."""
    found = by_length(np.array([10.0, 10.0, 20.0]), np.array([0, 0, 1]), 3, np.array([10.0, 99.0]))
    assert np.isfinite(found).all()
    assert found.sum(axis=1) == pytest.approx([1.0, 1.0])


def test_rules_know_the_clear_cases():
    """What the health check asks."""
    classes = ["tactical", "strategic"]
    truth = np.array([classes.index(role) for _, role in GOLDEN])
    found = by_rules([text for text, _ in GOLDEN], classes)
    assert found is not None
    assert metrics.accuracy(found, truth) == 1.0


def test_rules_say_nothing_of_other_classes():
    """They are no baseline for them."""
    assert by_rules(["fix it"], ["billing", "strategic"]) is None
