from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.turns import Turns, _spread
from pointsman.model.errors import UsageError

ALL = 0b11111


def serve(turns: Turns, levels: int) -> int:
    """Serve the level whose turn it is."""
    level = turns.choose(levels)
    turns.served()
    return level


def test_four_of_five_go_to_the_highest_level():
    """With everything waiting, every fifth dispatch follows the weights, all others are level 0."""
    turns = Turns((16, 8, 4, 2, 1), (4, 5))
    served = [serve(turns, ALL) for _ in range(155)]
    assert all(level == 0 for turn, level in enumerate(served) if turn % 5 != 4)
    assert Counter(served[4::5]) == {0: 16, 1: 8, 2: 4, 3: 2, 4: 1}


def test_the_highest_level_is_the_highest_that_has_something():
    """Levels without messages are passed over."""
    turns = Turns((1, 1, 1, 1, 1), (4, 5))
    assert [serve(turns, levels) for levels in (0b00010, 0b11000, 0b10000, 0b11111)] == [1, 3, 4, 0]


def test_a_choice_that_was_not_served_changes_nothing():
    """Asking again, also for fewer levels, gives the same turn."""
    turns = Turns((16, 8, 4, 2, 1), (0, 1))
    other = Turns((16, 8, 4, 2, 1), (0, 1))
    for _ in range(100):
        for levels in (0b00100, 0b11000, ALL):
            turns.choose(levels)
        assert serve(turns, ALL) == serve(other, ALL)


def test_without_a_strict_share_it_is_a_weighted_round_robin():
    """A share of 0 of 1 leaves the weights alone, evenly spread: a level of half the weight is in any three."""
    turns = Turns((3, 1, 1, 1, 6), (0, 1))
    served = [serve(turns, ALL) for _ in range(12)]
    assert Counter(served) == {0: 3, 1: 1, 2: 1, 3: 1, 4: 6}
    assert all(4 in served[turn : turn + 3] for turn in range(10))


def test_what_is_missing_between_two_levels_favours_neither():
    """Levels of equal weight alternate, however many empty ones stand between them."""
    turns = Turns((1, 1, 1, 1, 1), (0, 1))
    assert [serve(turns, 0b10001) for _ in range(6)] == [0, 4, 0, 4, 0, 4]


@given(st.lists(st.integers(1, 20), min_size=5, max_size=5))
def test_the_cycle_holds_each_level_as_often_as_it_weighs(weights):
    """Each level stands in the cycle `weight` times, and never waits much longer than twice its fair gap."""
    cycle = _spread(weights)
    assert Counter(cycle) == dict(enumerate(weights))
    for level, weight in enumerate(weights):
        places = [place for place, of in enumerate(cycle) if of == level]
        gaps = [later - place for place, later in zip(places, [*places[1:], places[0] + len(cycle)], strict=True)]
        assert max(gaps) <= 2 * len(cycle) / weight + 1


@pytest.mark.parametrize("level", range(5))
@given(st.integers(0, 10_000))
def test_a_backlogged_level_gets_its_share_of_any_155(level, seed):
    """Whatever the other levels do, a level that always has something gets `weights[i]` of any 155 dispatches."""
    weights = (16, 8, 4, 2, 1)
    turns, rng = Turns(weights, (4, 5)), random.Random(seed)
    served = [serve(turns, rng.choice((rng.randrange(32), ALL)) | 1 << level) == level for _ in range(500)]
    assert min(sum(served[begin : begin + 155]) for begin in range(len(served) - 155)) >= weights[level]


@pytest.mark.parametrize(
    ("weights", "share"),
    [((1, 1, 1, 1), (4, 5)), ((1, 1, 1, 1, 0), (4, 5)), ((1, 1, 1, 1, 1), (5, 5)), ((1, 1, 1, 1, 1), (-1, 5))],
)
def test_shares_that_would_starve_a_level_are_refused(weights, share):
    """A level needs a weight, and the round robin needs a turn."""
    with pytest.raises(UsageError, match="expected"):
        Turns(weights, share)
