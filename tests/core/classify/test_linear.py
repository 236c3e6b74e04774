"""Facts about the linear model: what a score is, that it can be taken apart, and that nothing else changes it."""

from __future__ import annotations

import math
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.classify.ask import extract
from pointsman.core.classify.features import SIZES, sizes
from pointsman.core.classify.linear import STRANGE_WORDS, LinearModel
from tests.core.classify.made import TEXTS, WORDS, ask, features_of, make

SAMPLE = [" ".join(WORDS), "why should we plan it", "fix the typo in app.py", "ok? no! 1. run()"]
KINDS = [(2, False, False), (2, True, False), (2, False, True), (5, False, False), (5, True, True), (200, True, False)]
MODELS = {kind: make(kind[0], SAMPLE, with_pieces=kind[1], with_sizes=kind[2]) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
@given(text=TEXTS)
def test_bias_and_contributions_add_up_to_the_score(kind, text):
    """Of each score, two classes or many, with pieces and sizes: within a millionth."""
    model = MODELS[kind]
    scores = ask(model, text)
    assert len(scores.values) == len(model.bias)
    for of, value in enumerate(scores.values):
        listed = model.contributions(scores.seen, scores.sizes, of)
        assert model.bias[of] + math.fsum(amount for _, amount in listed) == pytest.approx(value, abs=1e-6)
        assert [abs(amount) for _, amount in listed] == sorted((abs(amount) for _, amount in listed), reverse=True)


@pytest.mark.parametrize("kind", KINDS)
@given(text=TEXTS)
def test_a_score_is_the_sum_of_known_features_over_the_root_of_their_number(kind, text):
    """Worked out the plain way from the names of all features; few enough words that none is left out."""
    model = MODELS[kind]
    scores = ask(model, text)
    rows = {model.name(number): model._rows[number] for number in range(1, len(model._names))}
    known = [name for name in features_of(text, with_pieces=kind[1]) if name in rows]
    measured = sizes(extract(text)) if kind[2] else ()
    for of, value in enumerate(scores.values):
        narrow = len(model.bias) == 1
        total = math.fsum(rows[name] if narrow else rows[name][of] for name in known)
        expected = model.bias[of] + (model._unit * total / math.sqrt(len(known)) if known else 0.0)
        expected += sum(size * row[of] for size, row in zip(measured, model._size_weights, strict=False))
        assert value == pytest.approx(expected, abs=1e-9)
    assert sorted(model.name(number) for number in scores.seen) == sorted(known)


def test_an_answer_does_not_depend_on_what_was_asked_before():
    """Not even when the words it remembers have been forgotten: to the last bit."""
    model, fresh = (make(5, SAMPLE, with_pieces=True) for _ in range(2))
    model._most_remembered = 8
    rng = random.Random(1)
    for _ in range(200):
        ask(model, " ".join(rng.choices([*WORDS, *(f"w{number}x" for number in range(50))], k=12)))
    for text in SAMPLE:
        assert ask(model, text) == ask(fresh, text)


_PROGRAM = """
from tests.core.classify.made import ask, make
from tests.core.classify.test_linear import SAMPLE
print([ask(make(classes, SAMPLE, with_pieces=True), text) for classes in (2, 5) for text in SAMPLE])
"""


def test_an_answer_does_not_depend_on_hashes():
    """Two interpreters that hash words otherwise say the same to the last bit."""
    said = {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
    assert "Scores" in said.pop()


def test_of_unknown_words_only_the_first_ones_are_cut_into_pieces():
    """So that a message of rare words costs no more than ten ordinary ones."""
    model = LinearModel(["a", "b"], {"~xyz": 1.0}, [0.0], has_pieces=True)
    few = ask(model, " ".join(f"n{number}xyz" for number in range(STRANGE_WORDS)))
    many = ask(model, " ".join(f"n{number}xyz" for number in range(STRANGE_WORDS * 3)))
    assert len(few.seen) == STRANGE_WORDS
    assert (many.seen, many.values) == (few.seen, few.values)


def test_a_known_word_after_many_unknown_ones_still_counts():
    """Only what is unknown is left out."""
    model = LinearModel(["a", "b"], {"known": 1.0}, [0.0], has_pieces=True)
    assert ask(model, " ".join([f"w{number}" for number in range(200)] + ["known"])).values == [1.0]


def test_it_says_how_much_it_does_not_know():
    """Breaks are no words, and each word counts once."""
    model = LinearModel(["a", "b"], {"fix": 1.0, "|": 1.0, "=question": 1.0}, [0.0])
    assert (ask(model, "fix. fix foo? bar, baz").unknown_share, ask(model, "fix").unknown_share) == (0.75, 0.0)
    assert [ask(model, text).is_blank for text in ("fix", "foo", "?", "", "foo fix")] == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_a_piece_that_it_knows_is_something_that_it_knows():
    """The word itself stays unknown."""
    scores = ask(LinearModel(["a", "b"], {"~fix": 1.0}, [0.0], has_pieces=True), "prefixes")
    assert (scores.is_blank, scores.unknown_share) == (False, 1.0)


def test_probabilities_are_the_softmax():
    """They sum to 1 and are safe for scores of any size; of two classes the second has the logistic of the score."""
    two, many = MODELS[KINDS[0]], MODELS[KINDS[3]]
    assert two.probabilities([0.0]) == [0.5, 0.5]
    assert two.probabilities([math.log(3.0)]) == pytest.approx([0.25, 0.75])
    assert two.probabilities([1e9]) == [0.0, 1.0]
    assert two.probabilities([-1e9]) == [1.0, 0.0]
    assert many.probabilities([0.0, math.log(2.0), 0.0, 0.0, 0.0]) == pytest.approx([1 / 6, 2 / 6, 1 / 6, 1 / 6, 1 / 6])
    assert sum(many.probabilities([1e9, -1e9, 0.0, 5.0, 1e9])) == pytest.approx(1.0)


def test_sizes_are_measured_only_where_they_count():
    """A model of labels spends no time on them."""
    assert ask(MODELS[2, False, False], "fix 12").sizes == ()
    assert len(ask(MODELS[2, False, True], "fix 12").sizes) == len(SIZES)


@given(st.sampled_from(["", " ", "\n", "=question", "= question", "|", "| |", "~fix", "fix\u00a0the"]))
def test_no_message_can_forge_a_feature_of_another_kind(text):
    """The names of shapes, breaks and pieces cannot be written: their marks are no letters."""
    model = LinearModel(["a", "b"], {"=question": 1.0, "~fix": 1.0, "= question": 1.0, "=rules x": 1.0}, [0.0])
    assert ask(model, text).seen == []
