"""Facts about what the shape of an ask says."""

from __future__ import annotations

import pytest

from pointsman.core.classify.ask import extract
from pointsman.core.classify.builtin import STRATEGIC, TACTICAL
from pointsman.core.classify.reading import RULES_THRESHOLD
from pointsman.core.classify.structure import LONG_WORDS, shape_of
from pointsman.core.classify.tokens import tokenize


def shape(text: str) -> dict[str, str]:
    """Role by feature."""
    return {feature: role for feature, _, role, _ in shape_of(text, tokenize(extract(text)))}


@pytest.mark.parametrize(
    ("text", "feature", "role"),
    [
        ("what is this thing over here\n```\nx\n```", "shape:fence", TACTICAL),
        ("something is off in line 42 of it", "shape:line", TACTICAL),
        ("something about load_rows here and there", "shape:code", TACTICAL),
        ("how come nobody saw it before today?", "shape:question", STRATEGIC),
        ("word " * (LONG_WORDS + 1), "shape:long", STRATEGIC),
        ("the blue one", "shape:short", TACTICAL),
    ],
)
def test_a_feature_leans_to_its_side(text, feature, role):
    """Fence, line, code and shortness lean tactical; a question that asks for reasons and length lean strategic."""
    assert shape(text) == {feature: role}


@pytest.mark.parametrize(
    "text", ["we met at the station and then went home", "line up in front of the house over there", "is it raining?"]
)
def test_ordinary_text_has_no_shape(text):
    """Nothing is found where nothing is; a short question is no short order."""
    assert shape(text) == {}


def test_shape_alone_stays_below_the_threshold():
    """No single feature can decide at the default threshold: log-odds of 0.60 are 0.405."""
    text = "why ```x``` line 3 a_b ? " + "word " * 200
    weights = [weight for _, _, _, weight in shape_of(text, tokenize(text))]
    assert len(weights) == 5
    assert max(weights) < 0.405
    assert RULES_THRESHOLD == 0.60
