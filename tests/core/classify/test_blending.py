"""Two opinions made one: the mean of their logits, and sums that still hold."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.config.models import default_stored, ready
from pointsman.core.classify.blending import FEATURE, blend, shifts
from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.pipeline import Classifier
from pointsman.model.decision import Classification
from pointsman.model.settings import ClassifierSettings, RuleSettings, Settings

SHARES = st.lists(st.floats(1e-4, 1.0), min_size=2, max_size=6)
UNSURE = "the quarterly numbers and the exports again"


def normal(shares: list[float]) -> dict[str, float]:
    """Probabilities of classes a, b, ..."""
    return {chr(97 + at): one / sum(shares) for at, one in enumerate(shares)}


def ask(text: str, second: dict[str, float] | None, **how: Any) -> Classification:
    """What the shipped model says, with somebody else's opinion."""
    classes = Settings().classes
    desk = Classifier(ClassifierSettings(**how), classes, ready(default_stored(), "default"))
    pins = ConversationPins(60.0, 10)
    return desk.classify(ask=text, hint=None, client="c", conversation_id=None, now=0.0, pins=pins, second=second)


@given(SHARES, st.data())
def test_the_blend_is_the_mean_of_the_logits(shares, data):
    """Ratios are geometric means of the ratios, and all sums to 1."""
    first = normal(shares)
    second = normal(data.draw(st.lists(st.floats(1e-4, 1.0), min_size=len(shares), max_size=len(shares))))
    both = blend(first, second)
    assert sum(both.values()) == pytest.approx(1.0)
    ratio = math.sqrt(first["a"] * second["a"] / (first["b"] * second["b"]))
    assert both["a"] / both["b"] == pytest.approx(ratio)


def test_who_agrees_with_himself_says_the_same():
    """Nothing is added then."""
    one = {"a": 0.7, "b": 0.3}
    assert blend(one, one) == pytest.approx(one)
    assert shifts(one, one) == pytest.approx({"a": 0.0, "b": 0.0})


def test_a_class_that_was_left_out_becomes_unlikely_but_not_impossible():
    """One opinion cannot forbid what the other is sure of."""
    both = blend({"a": 0.999999, "b": 0.000001}, {"b": 1.0})
    assert 0.0 < both["a"] < 1.0


@pytest.mark.parametrize("second", [{"strategic": 0.98, "tactical": 0.02}, {"strategic": 0.02, "tactical": 0.98}])
def test_the_second_opinion_decides_what_the_model_left_open(second):
    """Cause `embedding`; evidence with the bias still makes the score, which is the log-odds of the answer."""
    alone, together = ask(UNSURE, None), ask(UNSURE, second)
    assert max(alone.probabilities.values()) < 0.8
    likelier = max(second, key=second.__getitem__)
    assert (together.message_class, together.cause) == (likelier, "embedding")
    assert FEATURE in {one.feature for one in together.evidence}
    assert together.logit is not None
    assert sum(one.weight for one in together.evidence) + together.bias == pytest.approx(together.logit, abs=1e-6)
    odds = together.probabilities[likelier] / (1.0 - together.probabilities[likelier])
    assert together.logit == pytest.approx(math.log(odds), abs=1e-6)


def test_a_forced_rule_is_not_discussed():
    """It leaves no doubt."""
    rule = RuleSettings(phrase="quarterly numbers", message_class="strategic", force=True)
    answer = ask(UNSURE, {"tactical": 1.0}, rules=[rule])
    assert (answer.message_class, answer.cause) == ("strategic", "rule")


def test_an_opinion_about_other_classes_is_none():
    """It says nothing that could be used."""
    heard, alone = ask(UNSURE, {"poetry": 1.0}), ask(UNSURE, None)
    assert (heard.probabilities, heard.cause, heard.logit) == (alone.probabilities, alone.cause, alone.logit)


def test_only_unsure_answers_are_worth_asking_for():
    """Below the confidence that the settings name; never where a hint or a pin decided."""
    classes = Settings().classes
    desk = Classifier(ClassifierSettings(), classes, ready(default_stored(), "default"))
    sure, unsure = ask("fix the typo in the footer", None), ask(UNSURE, None)
    assert (desk.is_unsure(sure), desk.is_unsure(unsure)) == (False, True)
    never = Classifier(ClassifierSettings(second_opinion_below=0.0), classes, ready(default_stored(), "default"))
    assert not never.is_unsure(unsure)
