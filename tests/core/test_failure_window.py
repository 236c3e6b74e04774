"""Calls and failures in the last seconds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.failure_window import BUCKETS, FailureWindow


@given(
    st.floats(0.1, 60.0),
    st.lists(st.tuples(st.floats(0.0, 12.0), st.booleans()), max_size=80),
    st.floats(0.0, 100.0),
)
@settings(max_examples=200, deadline=None)
def test_totals_are_those_of_the_last_ten_buckets(length_s, steps, later_s):
    """The running totals equal a count over all calls, at any spacing."""
    window, now, seen = FailureWindow(length_s), 0.0, []
    per_s = BUCKETS / length_s
    for wait_s, failed in steps:
        now += wait_s
        window.add(now, failed)
        seen.append((int(now * per_s), failed))
        inside = [bad for tick, bad in seen if tick > int(now * per_s) - BUCKETS]
        assert (window.calls, window.failures) == (len(inside), sum(inside))
    now += later_s
    inside = [bad for tick, bad in seen if tick > int(now * per_s) - BUCKETS]
    assert window.totals(now) == (len(inside), sum(inside))


def test_a_call_counts_for_nine_tenths_of_the_window_at_least_and_all_of_it_at_most():
    """The edge of the window moves by a tenth of its length."""
    early, late = FailureWindow(10.0), FailureWindow(10.0)
    early.add(100.0, True)
    late.add(100.99, True)
    assert early.totals(109.99) == (1, 1)
    assert early.totals(110.0) == (0, 0)
    assert late.totals(109.99) == (1, 1)
    assert late.totals(110.0) == (0, 0)


def test_a_late_report_counts_as_now():
    """Time stamps out of order neither raise nor bring back what has left."""
    window = FailureWindow(10.0)
    window.add(100.0, True)
    window.add(95.0, True)
    assert window.totals(95.0) == (2, 2)
    assert window.totals(109.99) == (2, 2)
    assert window.totals(110.0) == (0, 0)


def test_clear_forgets_all():
    """Nothing is left, and nothing goes below zero when the window moves on."""
    window = FailureWindow(10.0)
    window.add(100.0, True)
    window.clear()
    assert window.totals(100.0) == (0, 0)
    assert window.totals(150.0) == (0, 0)
