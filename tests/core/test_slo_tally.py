"""Tallies: times are counted exactly at every bar, and estimated nowhere but in quantiles."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.slo_tally import CLASSIFICATION, COUNTERS, LEGACY, OVERHEAD, ROUTING, Layout, Tally
from pointsman.model.outcome import Refusal

TIMES = st.lists(st.floats(0.0, 700.0) | st.sampled_from([0.045, 0.05, 0.0333, 600.0, 600.1]), min_size=1, max_size=60)


@given(TIMES, st.sampled_from([0.045, 0.05, 0.0333, 1.0]))
def test_what_is_above_a_bar_is_exact(times: list[float], bar_s: float) -> None:
    """Whatever bar is set: it is a bound of the histogram."""
    tally = Tally(Layout((0.0333,)))
    for seconds in times:
        tally.time(LEGACY, seconds)
    assert tally.above(LEGACY, bar_s) == sum(1 for seconds in times if seconds > bar_s)
    assert tally.timed(LEGACY) == len(times)
    assert tally.mean_s(LEGACY) == pytest.approx(sum(times) / len(times))


@given(TIMES, st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_lies_within_the_bounds_of_the_true_one(times: list[float], share: float) -> None:
    """It is interpolated, so it may err by a bucket and no more; above every bound it is the highest."""
    layout = Layout()
    tally = Tally(layout)
    for seconds in times:
        tally.time(OVERHEAD, seconds)
    true = sorted(times)[ceil(share * len(times)) - 1]
    low = max([0.0, *(bound for bound in layout.bounds if bound < true)])
    high = min([bound for bound in layout.bounds if bound >= true], default=layout.bounds[-1])
    found = tally.quantile_s(OVERHEAD, share)
    assert found is not None
    assert low <= found <= high or found == high


def test_a_quantile_is_interpolated_within_its_bucket() -> None:
    """Ten times between 2 and 3 ms: half of them by 2.5 ms."""
    tally = Tally(Layout())
    for _ in range(10):
        tally.time(OVERHEAD, 0.0027)
    assert tally.quantile_s(OVERHEAD, 0.5) == pytest.approx(0.0025)
    assert Tally(Layout()).quantile_s(OVERHEAD, 0.5) is None
    assert Tally(Layout()).mean_s(OVERHEAD) is None


def test_what_is_added_to_a_message_is_split() -> None:
    """In all, and without the classifier; the classifier's own time is counted elsewhere."""
    tally = Tally(Layout())
    tally.handed_out(0.060, 0.020)
    assert [tally.sums[OVERHEAD], tally.sums[ROUTING]] == pytest.approx([0.060, 0.040])
    assert (tally.above(OVERHEAD, 0.05), tally.above(ROUTING, 0.05), tally.timed(CLASSIFICATION)) == (1, 0, 0)


def test_every_refusal_has_a_place() -> None:
    """A new one counts as wrong, and never as nothing."""
    layout = Layout()
    assert set(layout.refusals) == set(Refusal)
    assert {layout.refusals[Refusal.UNAVAILABLE]} == {layout.places["unavailable"]}
    own = [reason for reason, place in layout.refusals.items() if place == layout.places["unavailable"]]
    assert own == [Refusal.UNAVAILABLE]


def test_tallies_add_up_and_begin_anew() -> None:
    """Counts and sums."""
    layout = Layout()
    one, other = Tally(layout), Tally(layout)
    for tally in (one, other):
        tally.time(LEGACY, 1.5)
        tally.count("delivered", 2)
        tally.count("cancelled")
    one.add(other.counts, other.sums)
    assert (one.of("delivered", "cancelled"), one.messages, one.timed(LEGACY), one.sums[LEGACY]) == (6, 6, 2, 3.0)
    one.clear()
    assert (sum(one.counts), sum(one.sums)) == (0, 0.0)
    assert len(one.counts) == layout.size


def test_every_counter_has_a_place_of_its_own() -> None:
    """None stands in a histogram."""
    layout = Layout()
    places = [layout.places[name] for name in COUNTERS]
    assert sorted(set(places)) == places == list(range(layout.size - len(COUNTERS), layout.size))


@given(TIMES)
def test_times_counted_by_other_bounds_may_seem_longer_but_never_shorter(times: list[float]) -> None:
    """A journal of yesterday's bars is judged strictly by today's."""
    old, new = Tally(Layout()), Tally(Layout((0.0333,)))
    for seconds in times:
        old.time(LEGACY, seconds)
    new.add_histogram(LEGACY, old.layout.bounds, old.histogram(LEGACY), old.sums[LEGACY])
    assert new.timed(LEGACY) == len(times)
    assert new.above(LEGACY, 0.0333) >= sum(1 for seconds in times if seconds > 0.0333)
    assert new.above(LEGACY, 0.045) == old.above(LEGACY, 0.045)
    assert new.mean_s(LEGACY) == pytest.approx(old.mean_s(LEGACY))
