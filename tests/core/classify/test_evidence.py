"""Facts about how hits become probabilities."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.classify.evidence import (
    FIRST_FACTOR,
    FIRST_TOKENS,
    KEEP,
    probabilities,
    score,
    strongest,
    weigh_builtin,
    weigh_own,
    weigh_shape,
)
from pointsman.core.classify.rules import make_rule
from pointsman.model.decision import Evidence


def hit(position: int, weight: float = 1.0, name: str = "r"):
    """A hit of a rule for class `a`."""
    return make_rule(name, "some words", "a", weight), position


def test_a_phrase_among_the_first_words_counts_more():
    """The factor holds for the first tokens and not for the next one."""
    early, late = weigh_builtin([hit(FIRST_TOKENS - 1), hit(FIRST_TOKENS)])
    assert early.weight == pytest.approx(FIRST_FACTOR * late.weight)
    assert late.weight == pytest.approx(1.0)


def test_many_hits_count_less_each_and_more_together():
    """Eight hits weigh twice as much as two, not four times: they are not independent."""
    sums = [sum(piece.weight for piece in weigh_builtin([hit(90)] * count)) for count in (1, 2, 8)]
    assert sums == pytest.approx([1.0, 2.0, 4.0])


def test_a_rule_without_weight_is_no_evidence():
    """It has done its work by keeping other phrases from its words."""
    assert weigh_builtin([hit(90, weight=0.0)]) == []


def test_shape_speaks_for_the_class_of_its_role():
    """A role without a class says nothing."""
    shape = [("shape:x", "y" * 99, "role", 0.3), ("shape:z", "z", "nobody", 0.3)]
    [piece] = weigh_shape(shape, {"role": "a"})
    assert (piece.feature, piece.found, piece.message_class) == ("shape:x", "y" * 60, "a")
    assert piece.weight == pytest.approx(0.3)


def test_a_rule_of_the_users_adds_its_weight_wherever_it_stands():
    """First or last, alone or among many: what the settings say is what is added."""
    assert [piece.weight for piece in weigh_own([hit(0, 0.7), hit(90, 0.2), hit(1, 0.0)])] == [0.7, 0.2]


def test_a_forced_rule_is_evidence_even_without_weight():
    """Whoever reads the decision must see it."""
    forced = make_rule("f", "x", "a", 0.0, force=True)
    assert [piece.feature for piece in weigh_own([(forced, 3)])] == ["f"]


def test_scores_are_sums_by_class():
    """Classes that nothing speaks for score 0."""
    found = [Evidence("1", "", "a", 0.5), Evidence("2", "", "b", 0.25), Evidence("3", "", "a", 1.0)]
    assert score(found, ["a", "b", "c"]) == {"a": 1.5, "b": 0.25, "c": 0.0}


def test_two_classes_follow_the_logistic_function():
    """The probability of a class is the logistic of its lead."""
    assert probabilities({"a": 1.7, "b": 0.5})["a"] == pytest.approx(1 / (1 + math.exp(-1.2)))


@given(st.dictionaries(st.text(max_size=3), st.floats(-1e6, 1e6), min_size=1, max_size=8))
def test_probabilities_sum_to_one_and_keep_the_order(scores):
    """Any finite scores, any number of classes."""
    odds = probabilities(scores)
    assert math.fsum(odds.values()) == pytest.approx(1.0)
    assert all(odds[low] <= odds[high] for low in scores for high in scores if scores[low] <= scores[high])


def test_evidence_is_shown_strongest_first_and_bounded():
    """However much a long message fires, the record stays small."""
    found = strongest([Evidence(str(n), "", "a", float(n)) for n in range(KEEP + 9)])
    assert [piece.weight for piece in found] == [float(n) for n in range(KEEP + 8, 8, -1)]
