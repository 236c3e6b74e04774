"""Facts about choosing: what a mistake costs decides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.classify.choosing import cheapest, least_confidence

TWO = {"tactical": 1.0, "strategic": 5.0}


@given(st.floats(0.0, 1.0), st.floats(4.0, 1000.0))
def test_of_two_classes_down_only_where_a_mistake_is_unlikely_enough(cheap, cost_of_failure):
    """The cheap one is taken only if `p(cheap) >= 1 - extra / cost_of_failure`."""
    chosen = cheapest({"tactical": cheap, "strategic": 1.0 - cheap}, TWO, cost_of_failure)
    least = least_confidence(4.0, cost_of_failure)
    if abs(cheap - least) > 1e-9:
        assert chosen == ("tactical" if cheap > least else "strategic")


@pytest.mark.parametrize("cost_of_failure", [5.0, 8.0, 40.0, 400.0])
def test_the_bound_is_where_it_is_said_to_be(cost_of_failure):
    """A thousandth above it the cheap one, a thousandth below it the dear one."""
    least = least_confidence(4.0, cost_of_failure)
    for cheap, chosen in ((least + 0.001, "tactical"), (least - 0.001, "strategic")):
        assert cheapest({"tactical": cheap, "strategic": 1.0 - cheap}, TWO, cost_of_failure) == chosen


CLASSES = st.dictionaries(
    st.sampled_from("abcdef"), st.tuples(st.floats(0.01, 1.0), st.sampled_from([1.0, 2.0, 2.0, 10.0])), min_size=1
)


@given(CLASSES, st.floats(0.001, 1000.0))
def test_of_many_classes_the_least_expected_cost(drawn, cost_of_failure):
    """Cost of the class, and of a failure where the right class is dearer; checked by working out each."""
    total = sum(share for share, _ in drawn.values())
    odds = {name: share / total for name, (share, _) in drawn.items()}
    costs = {name: cost for name, (_, cost) in drawn.items()}

    def expected(name: str) -> float:
        return costs[name] + cost_of_failure * sum(odds[other] for other in odds if costs[other] > costs[name])

    chosen = cheapest(odds, costs, cost_of_failure)
    assert expected(chosen) <= min(map(expected, odds)) * (1 + 1e-9)
    assert odds[chosen] == max(share for name, share in odds.items() if costs[name] == costs[chosen])


@given(CLASSES)
def test_without_a_cost_of_failure_the_likeliest(drawn):
    """Of two that are equally likely the dearer."""
    odds = {name: share for name, (share, _) in drawn.items()}
    costs = {name: cost for name, (_, cost) in drawn.items()}
    chosen = cheapest(odds, costs, 0.0)
    assert odds[chosen] == max(odds.values())
    assert costs[chosen] == max(costs[name] for name in odds if odds[name] == odds[chosen])


def test_the_confidence_that_is_asked_for():
    """Half where nobody has said what a failure costs; the dearer the failure, the surer."""
    assert least_confidence(4.0, 0.0) == 0.5
    assert least_confidence(4.0, 8.0) == 0.5
    assert least_confidence(4.0, 40.0) == pytest.approx(0.9)
    assert (least_confidence(4.0, 1.0), least_confidence(0.0, 1.0)) == (0.0, 1.0)
