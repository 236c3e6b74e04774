"""How much looking on may cost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.rollout.shedding import (
    BURST_S,
    FAILURES_MAX,
    FAILURES_WITHIN_S,
    OFF_FOR_S,
    SLOW_CORE_SHARE,
    CoreBudget,
    Fuse,
)

START = 1000.0


def run(budget: CoreBudget, held_s: float, every_s: float, for_s: float) -> float:
    """Let a decision ask `every_s` seconds; return the seconds of core that those which started took."""
    spent = 0.0
    for number in range(int(for_s / every_s)):
        now = START + number * every_s
        if budget.allows(now):
            budget.spend(now, held_s, held_s)
            spent += held_s
    return spent


def test_fast_decisions_get_their_share_of_a_core() -> None:
    """Ten in a hundred of a core over a minute, after the burst."""
    spent = run(CoreBudget(0.10), held_s=0.0005, every_s=0.001, for_s=60.0)
    assert 0.10 * 60.0 <= spent <= 0.10 * (60.0 + BURST_S) + 0.0005


def test_slow_decisions_get_a_hundredth_of_a_core() -> None:
    """One of 10 ms a second, whatever is asked."""
    spent = run(CoreBudget(0.10), held_s=0.010, every_s=0.010, for_s=60.0)
    assert SLOW_CORE_SHARE * 59.0 <= spent <= SLOW_CORE_SHARE * 60.0 + 0.010 + SLOW_CORE_SHARE * BURST_S


def test_many_short_pieces_are_not_slow() -> None:
    """A decision that pauses in between delays nobody for long, and pays the plain price."""
    pausing, whole = CoreBudget(0.10), CoreBudget(0.10)
    for budget, longest_s in ((pausing, 0.0009), (whole, 0.09)):
        budget.allows(START)
        budget.spend(START, 0.09, longest_s)
    assert pausing.allows(START)
    assert not whole.allows(START + 7.9)
    assert whole.allows(START + 8.1)


def test_a_share_of_nothing_lets_nothing_start() -> None:
    """Zero means never."""
    budget = CoreBudget(0.0)
    assert not budget.allows(START)
    assert not budget.allows(START + 1e9)


def test_a_large_share_is_not_a_license_for_slow_decisions() -> None:
    """They get their hundredth even where fast ones may take a whole core."""
    spent = run(CoreBudget(1.0), held_s=0.010, every_s=0.010, for_s=60.0)
    assert spent <= SLOW_CORE_SHARE * 60.0 + 0.010 + SLOW_CORE_SHARE * BURST_S


@given(
    st.floats(0.001, 1.0),
    st.lists(st.tuples(st.floats(0.0, 5.0), st.floats(0.0, 0.2)), max_size=60),
)
def test_in_no_span_is_more_spent_than_share_and_burst(share: float, steps: list[tuple[float, float]]) -> None:
    """What was spent before the last decision that started never exceeds what was poured."""
    budget, now, spent = CoreBudget(share), START, 0.0
    for pause_s, held_s in steps:
        now += pause_s
        if budget.allows(now):
            assert spent <= share * (BURST_S + now - START) + 1e-9
            budget.spend(now, held_s, held_s)
            spent += held_s


def test_a_clock_that_stands_still_or_goes_back_pours_nothing() -> None:
    """Only time that passes pays debts."""
    budget = CoreBudget(0.10)
    budget.allows(START)
    budget.spend(START, 0.0005 * 1000, 0.0005)
    assert not budget.allows(START)
    assert not budget.allows(START - 100.0)
    assert not budget.allows(START + 3.9)
    assert budget.allows(START + 4.1)


def test_time_without_work_saves_up_one_burst_and_no_more() -> None:
    """An hour of silence is no reason to hold anybody up afterwards."""
    budget = CoreBudget(0.10)
    budget.allows(START)
    now, spent = START + 3600.0, 0.0
    while budget.allows(now):
        budget.spend(now, 0.0005, 0.0005)
        spent += 0.0005
    assert 0.10 * BURST_S <= spent <= 0.10 * BURST_S + 0.001


def test_twenty_failures_in_a_minute_turn_it_off_for_five() -> None:
    """The twentieth blows it; five minutes later it begins anew, with no failures."""
    fuse = Fuse()
    step = (FAILURES_WITHIN_S - 1.0) / FAILURES_MAX
    blown = [fuse.fail(START + number * step) for number in range(FAILURES_MAX)]
    assert blown == [False] * (FAILURES_MAX - 1) + [True]
    last = START + (FAILURES_MAX - 1) * step
    assert fuse.is_off(last)
    assert fuse.is_off(last + OFF_FOR_S - 0.001)
    assert not fuse.is_off(last + OFF_FOR_S)
    assert not fuse.fail(last + OFF_FOR_S)


def test_failures_far_apart_do_not_add_up() -> None:
    """Twenty failures over more than a minute are a rate to live with."""
    fuse = Fuse()
    step = FAILURES_WITHIN_S / (FAILURES_MAX - 1) + 0.001
    assert not any(fuse.fail(START + number * step) for number in range(200))
    assert not fuse.is_off(START + 200 * step)
