from __future__ import annotations

import numpy as np
import pytest

from pointsman.core.classify.ask import extract
from pointsman.core.classify.builtin import VERSION
from pointsman.core.classify.features import pieces, sizes
from pointsman.core.classify.linear import LinearModel
from pointsman.core.classify.tokens import tokenize
from pointsman.training.examples import Seeing, marks_by, matrix


def named(seeing: Seeing, text: str, *, with_pieces: bool = False) -> dict[str, int]:
    """What is seen of a text, by name: every feature that stands in it is known to this vocabulary."""
    one = seeing.example(text, with_pieces=with_pieces)
    every = seeing.vocabulary([one], least=1, most=10_000)
    at = {int(column): name for name, column in zip(every.names, range(len(every.names)), strict=True)}
    return {at[int(every.columns[f])]: int(count) for f, count in zip(one.features, one.counts, strict=True)}


def test_words_pairs_and_shape_are_seen_once_each():
    """However often a word stands there."""
    found = named(Seeing(), "fix fix it?")
    assert {"fix", "it", "fix fix", "fix it", "| fix", "=question", "=ends asking"} <= set(found)
    assert set(found.values()) == {1}


def test_pieces_count_as_often_as_they_stand_in_different_words():
    """A word that comes twice gives its pieces once."""
    found = named(Seeing(), "fixed fixing fixed", with_pieces=True)
    assert found["~_fix"] == 2
    assert found["~ed_"] == 1
    assert {name for name in found if name.startswith("~")} == {*pieces("fixed"), *pieces("fixing")}


def test_marks_are_features_like_others():
    """What rules say of the tokens stands beside the words."""
    seeing = Seeing(lambda tokens: [f"={len(tokens)} tokens"])
    assert "=2 tokens" in named(seeing, "fix it")


def test_marks_of_another_version_are_none():
    """A model trained with other rules must not be fed these."""
    tokens = tokenize("write a migration plan with milestones")
    assert marks_by(VERSION)(tokens)
    assert not marks_by("another")(tokens)


def test_the_vocabulary_keeps_what_is_common_in_the_order_of_names():
    """At least in so many examples, at most so many features; of equals the first by name."""
    seeing = Seeing()
    examples = [seeing.example(text, with_pieces=False) for text in ("b a", "b a", "b c")]
    known = seeing.vocabulary(examples, least=2, most=100)
    assert known.names == sorted(known.names)
    assert {"a", "b", "b a", "| b"} <= set(known.names)
    assert "c" not in known.names
    few = seeing.vocabulary(examples, least=1, most=2)
    assert len(few.names) == 2
    assert "b" in seeing.vocabulary(examples, least=3, most=100).names


def test_a_matrix_knows_only_what_the_vocabulary_knows():
    """Columns rise, and counts are divided by the root of their sum."""
    seeing = Seeing()
    learnt = [seeing.example("b a", with_pieces=False)]
    known = seeing.vocabulary(learnt, least=1, most=100)
    strange = seeing.example("a zebra", with_pieces=False)
    found = matrix([learnt[0], strange], known)
    assert all((np.diff(columns) > 0).all() for columns in found.columns)
    assert [known.names[at] for at in found.columns[1]] == ["a"]
    assert found.values[0] == pytest.approx(np.full(len(known.names), len(known.names) ** -0.5))


def test_an_example_without_known_features_is_empty():
    """And divides by nothing."""
    seeing = Seeing()
    known = seeing.vocabulary([seeing.example("a", with_pieces=False)], least=1, most=1)
    found = matrix([seeing.example("", with_pieces=False)], known)
    assert found.values[0].shape == (0,)
    assert found.sizes[0] == pytest.approx(sizes(""), rel=1e-5)


@pytest.mark.parametrize("with_pieces", [False, True])
def test_what_is_learnt_from_is_what_is_met_in_use(with_pieces: bool):
    """The product of a row and weights is the score that the model in use gives the same text."""
    text = "Why does `parse_date` fail? See src/dates.py line 12, then fix the parser parser."
    seeing = Seeing()
    seen = seeing.example(text, with_pieces=with_pieces)
    known = seeing.vocabulary([seen], least=1, most=10_000)
    rng = np.random.default_rng(1)
    weights, size_weights = rng.normal(size=len(known.names)), rng.normal(size=4)
    row = matrix([seen], known)
    expected = float(row.values[0] @ weights[row.columns[0]] + row.sizes[0] @ size_weights)
    model = LinearModel(
        ["one", "other"],
        dict(zip(known.names, weights.tolist(), strict=True)),
        [0.0],
        [[one] for one in size_weights.tolist()],
        has_pieces=with_pieces,
    )
    left = extract(text)
    assert model.score(text, left, tokenize(left)).values[0] == pytest.approx(expected, abs=1e-5)
