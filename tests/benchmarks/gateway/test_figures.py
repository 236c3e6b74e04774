"""Percentiles against their definition, and ratios round by round."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.gateway.figures import percentile, ratios


def test_percentile_of_a_hundred_values_is_the_value_of_that_rank() -> None:
    """Of 1..100 the 99th percentile is 99, not 100: an interpolation or an off-by-one would show here."""
    values = [float(value) for value in range(100, 0, -1)]
    assert [percentile(values, share) for share in (0.0, 0.01, 0.5, 0.95, 0.99, 1.0)] == [1, 1, 50, 95, 99, 100]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.floats(0, 1))
def test_percentile_is_the_smallest_value_that_enough_values_do_not_exceed(values: list[float], share: float) -> None:
    """The definition itself, by counting."""
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    smaller = [value for value in values if value < found]
    assert all(sum(value <= one for value in values) < share * len(values) for one in smaller)


def test_percentile_of_nothing_is_a_fault() -> None:
    """A figure nobody measured must not become a zero."""
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_ratios_are_taken_inside_a_round() -> None:
    """A round that one side lacks, or in which the other side is nothing, gives no ratio."""
    assert ratios({0: 4.0, 1: 9.0, 2: 5.0, 3: 1.0}, {0: 2.0, 1: 3.0, 3: 0.0}) == {0: 2.0, 1: 3.0}
