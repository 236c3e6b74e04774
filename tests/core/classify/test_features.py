"""Facts about features: what a model sees of a text."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given

from pointsman.core.classify.features import MOST_OF_A_WORD, SIZES, neighbours, pairs, pieces, shape, sizes
from pointsman.core.classify.tokens import tokenize
from tests.core.classify.made import TEXTS


def shape_of(text: str) -> list[str]:
    """The shape of a text that quotes nothing."""
    return shape(text, text, tokenize(text))


def test_neighbours_begin_and_end_with_a_break():
    """Each two tokens, and the edges of the message; the names are those with a blank between."""
    assert list(neighbours(["fix", "it"])) == [("|", "fix"), ("fix", "it"), ("it", "|")]
    assert pairs(["fix", "it"]) == ["| fix", "fix it", "it |"]
    assert pairs([]) == ["| |"]


def test_pieces_of_a_word():
    """Three to five characters with the edges, each as often as it stands there; of a long word the beginning."""
    assert list(pieces("fix")) == ["~_fi", "~fix", "~ix_", "~_fix", "~fix_", "~_fix_"]
    assert list(pieces("a")) == ["~_a_"]
    assert list(pieces("aaaa")).count("~aaa") == 2
    assert list(pieces("a" * 1000)) == list(pieces("a" * MOST_OF_A_WORD))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a b c", []),
        ("a b c d", ["=words>=4"]),
        ("a b c d e f g h", ["=words>=4", "=words>=8"]),
        ("a 1", ["=digits>=1"]),
        ("1234", ["=digits>=1", "=digits>=4"]),
        ("what? go", ["=question"]),
        ("go, what? ", ["=question", "=ends asking"]),
        ("\u4ec0\u4e48\uff1f", ["=question", "=ends asking"]),
        ("```\nx\n```", ["=fence"]),
        ("`x`", ["=code mark"]),
        ("a_b", ["=identifier"]),
        ("f()", ["=identifier"]),
        ("- a", ["=list"]),
        ("x\n  2) a", ["=digits>=1", "=list"]),
        ("12. a", ["=digits>=1", "=list"]),
        ("x - a", []),
        ("    - a", []),
        ("see app.py", ["=path"]),
        ("a/b", ["=path"]),
        ("end. Next / ./", []),
    ],
)
def test_the_shape_of_a_text(text, expected):
    """Words and digits by steps, questions, code, lists and paths."""
    assert shape_of(text) == expected


@given(TEXTS)
def test_the_quick_searches_find_what_the_plain_ones_do(text):
    """A list item and a path, as one would write them down."""
    item = re.search(r"^[ \t]{0,3}(?:[-*+]|\d{1,2}[.)])[ \t]", text, re.MULTILINE)
    path = re.search(r"[A-Za-z0-9_-][./][A-Za-z0-9_-]", text)
    assert ("=list" in shape_of(text), "=path" in shape_of(text)) == (item is not None, path is not None)


def test_sizes_are_logarithms_about_zero():
    """Characters, digits, sentences, numbers: each step of a factor counts the same."""
    once, twice = sizes("a" * 100), sizes("a" * 201)
    assert len(once) == len(SIZES)
    assert twice[0] - once[0] == pytest.approx(0.3 * math.log(202 / 101))
    assert sizes("1. 22! x\n")[1:] == pytest.approx(
        tuple(0.3 * (math.log1p(count) - usual) for count, usual in ((3, 2.0), (3, 1.3), (2, 1.5)))
    )
