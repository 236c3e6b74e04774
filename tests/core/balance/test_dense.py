"""A list in which each load knows its place."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.balance.dense import draw, put, take
from pointsman.core.load import WorkerLoad
from tests.core.balance.fleet import CHI_SQUARE_OF_TEN, chi_square, loads


@given(st.lists(st.integers(0, 7), max_size=60))
@settings(max_examples=100, deadline=None)
def test_every_load_knows_its_place(numbers):
    """Whatever joins and leaves: the place is right, and -1 outside."""
    everyone = loads(8)
    dense: list[WorkerLoad] = []
    for number in numbers:
        load = everyone[number]
        if load.index < 0:
            put(dense, load)
        else:
            take(dense, load)
        assert [other.index for other in dense] == list(range(len(dense)))
        assert all((other in dense) == (other.index >= 0) for other in everyone)


@pytest.mark.parametrize(
    ("count", "avoid"),
    [(10, ()), (12, ("w0", "w11")), (13, ("w3", "w4", "w5")), (12, ("w0", "w11", "a", "b", "c", "d"))],
)
def test_draws_are_uniform(count, avoid):
    """Among those not avoided, in the list long enough to draw from (12, 13) and in any other."""
    members, rng = loads(count), Random(11)
    drawn = Counter(load.id for load in (draw(members, avoid, rng) for _ in range(10_000)) if load)
    assert len(drawn) == 10
    assert chi_square(list(drawn.values())) < CHI_SQUARE_OF_TEN


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_nobody_is_drawn_where_all_are_avoided(count):
    """And from an empty list."""
    assert draw(loads(count), [f"w{number}" for number in range(count)], Random(1)) is None


def test_the_only_one_left_is_drawn():
    """Among few, each is looked at; among many, the draw is repeated."""
    assert {draw(loads(5), ("w0", "w1", "w2", "w4"), Random(1)).id} == {"w3"}  # type: ignore[union-attr]
    assert draw(loads(3), ("w0",), Random(1)).id in {"w1", "w2"}  # type: ignore[union-attr]
