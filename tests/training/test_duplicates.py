from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.classify.tokens import BREAK, tokenize
from pointsman.training import duplicates
from pointsman.training.duplicates import near_duplicates


def naive(texts: list[str]) -> list[tuple[int, int]]:
    """Every pair, compared word by word."""
    words = [frozenset(tokenize(text)) - {BREAK} for text in texts]
    return [
        (one, other)
        for one in range(len(texts))
        for other in range(one + 1, len(texts))
        if words[one] and words[other] and 2 * len(words[one] & words[other]) >= len(words[one] | words[other])
    ]


@given(st.lists(st.lists(st.sampled_from("abcdefghij"), max_size=9).map(" ".join), max_size=25))
def test_it_finds_exactly_what_comparing_every_pair_finds(texts: list[str]):
    """Short texts over ten words, so that the border of one half is hit often."""
    assert near_duplicates(texts) == naive(texts)


def test_long_texts_of_rare_and_common_words_too():
    """Sizes from 5 to 120 words, with copies that were changed a little, by a third and by half."""
    rng = random.Random(9)
    common, rare = [f"c{one}" for one in range(30)], [f"r{one}" for one in range(3_000)]
    texts = []
    for _ in range(60):
        size = rng.randrange(5, 120)
        text = [rng.choice(common if rng.random() < 0.3 else rare) for _ in range(size)]
        texts.append(" ".join(text))
        for share in (0.05, 0.3, 0.45, 0.6):
            texts.append(" ".join(rng.choice(rare) if rng.random() < share else word for word in text))
    found = near_duplicates(texts)
    assert found == naive(texts)
    assert len(found) > 60


def test_texts_without_words_are_like_nothing():
    """Neither like each other."""
    assert near_duplicates(["...", "!!", "", "a"]) == []


def test_case_and_marks_do_not_hide_a_copy():
    """Words are what the classifier sees of them."""
    assert near_duplicates(["Fix the tests!", "fix, THE tests"]) == [(0, 1)]


def test_of_many_copies_each_is_paired_with_the_first(monkeypatch: pytest.MonkeyPatch):
    """A file of one text a thousand times has no half million pairs."""
    monkeypatch.setattr(duplicates, "MOST_COPIES", 3)
    assert near_duplicates(["same text"] * 5) == [(0, 1), (0, 2), (0, 3), (0, 4)]
    assert near_duplicates(["same text"] * 3) == [(0, 1), (0, 2), (1, 2)]


def test_beyond_the_bounds_every_text_is_still_paired(monkeypatch: pytest.MonkeyPatch):
    """Slot-filled texts: fewer pairs than there are, and none without one."""
    texts = [f"please fix the bug number {one} in the module for the shop" for one in range(300)]
    every = {at for pair in near_duplicates(texts) for at in pair}
    monkeypatch.setattr(duplicates, "MOST_PAIRS", 50)
    monkeypatch.setattr(duplicates, "MOST_LOOKS", 100)
    few = near_duplicates(texts)
    assert {at for pair in few for at in pair} == every == set(range(300))
    assert len(few) < 400
    assert set(few) <= set(naive(texts))
