"""The breaker: every state and event, its permits, its pauses."""

from __future__ import annotations

from random import Random

import pytest

from pointsman.core.breaker import ADMITS_ALL, TRANSITIONS, BreakerState, CircuitBreaker
from pointsman.model.settings import BreakerSettings
from pointsman.model.states import IllegalStep

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
FORCED_OPEN, DISABLED = BreakerState.FORCED_OPEN, BreakerState.DISABLED
START = 1000.0


def new(seed: int = 1, **settings) -> CircuitBreaker:
    """A closed one."""
    return CircuitBreaker(BreakerSettings(**settings), Random(seed))


def call(breaker: CircuitBreaker, now: float, ok: bool | None) -> bool:
    """One call, there and back; whether the state changed."""
    permit = breaker.acquire(now)
    assert permit is not None
    return breaker.record(permit, now, ok)


def trip(breaker: CircuitBreaker, now: float = START) -> float:
    """Open it by failures in a row; returns the end of the pause."""
    while breaker.state is not OPEN:
        call(breaker, now, False)
    until = breaker.wakes_at()
    assert until is not None
    return until


def half_open(breaker: CircuitBreaker, now: float = START) -> float:
    """Open it and let the pause go by; returns the end of the pause."""
    until = trip(breaker, now)
    assert breaker.advance(until)
    return until


def bring_to(state: BreakerState) -> tuple[CircuitBreaker, float]:
    """A breaker in that state, and the time it is there."""
    breaker = new(permits=1, successes=1)
    if state is OPEN:
        trip(breaker)
    elif state is HALF_OPEN:
        return breaker, half_open(breaker)
    elif state is FORCED_OPEN:
        breaker.force_open()
    elif state is DISABLED:
        breaker.disable()
    return breaker, START


EVENTS = {
    "one good call": lambda breaker, now: [
        breaker.record(p, now, True) for p in [breaker.acquire(now)] if p is not None
    ],
    "one bad call": lambda breaker, now: [
        breaker.record(p, now, False) for p in [breaker.acquire(now)] if p is not None
    ],
    "five bad calls": lambda breaker, now: [
        breaker.record(p, now, False) for _ in range(5) for p in [breaker.acquire(now)] if p is not None
    ],
    "one cancelled call": lambda breaker, now: [
        breaker.record(p, now, None) for p in [breaker.acquire(now)] if p is not None
    ],
    "an unknown permit": lambda breaker, now: breaker.record(-7, now, False),
    "advance at once": lambda breaker, now: breaker.advance(now),
    "advance later": lambda breaker, now: breaker.advance(now + 10_000.0),
    "force_open": lambda breaker, now: breaker.force_open(),
    "disable": lambda breaker, now: breaker.disable(),
    "reset": lambda breaker, now: breaker.reset(),
}

#                         closed    open       half_open  forced_open  disabled
LIFE = {
    "one good call":      (CLOSED, OPEN, CLOSED, FORCED_OPEN, DISABLED),
    "one bad call":       (CLOSED, OPEN, OPEN, FORCED_OPEN, DISABLED),
    "five bad calls":     (OPEN, OPEN, OPEN, FORCED_OPEN, DISABLED),
    "one cancelled call": (CLOSED, OPEN, HALF_OPEN, FORCED_OPEN, DISABLED),
    "an unknown permit":  (CLOSED, OPEN, HALF_OPEN, FORCED_OPEN, DISABLED),
    "advance at once":    (CLOSED, OPEN, HALF_OPEN, FORCED_OPEN, DISABLED),
    "advance later":      (CLOSED, HALF_OPEN, HALF_OPEN, FORCED_OPEN, DISABLED),
    "force_open":         (FORCED_OPEN,) * 5,
    "disable":            (DISABLED,) * 5,
    "reset":              (CLOSED,) * 5,
}  # fmt: skip


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", list(BreakerState))
def test_every_event_in_every_state(state, event):
    """The state afterwards is the one in the table above."""
    breaker, now = bring_to(state)
    assert breaker.state is state
    EVENTS[event](breaker, now)
    assert breaker.state is LIFE[event][list(BreakerState).index(state)]


@pytest.mark.parametrize(
    ("state", "admits"), [(CLOSED, ADMITS_ALL), (OPEN, 0), (HALF_OPEN, 1), (FORCED_OPEN, 0), (DISABLED, ADMITS_ALL)]
)
def test_admits_says_how_many_permits_acquire_will_give(state, admits):
    """Asking takes no permit, and acquire keeps what was said."""
    breaker, now = bring_to(state)
    assert breaker.admits(now) == breaker.admits(now) == admits
    permits = [breaker.acquire(now) for _ in range(50)]
    assert sum(permit is not None for permit in permits) == min(admits, 50)


def test_every_state_can_be_reached_and_left():
    """No state is a dead end, for calls and time or for an operator; the table is what the class follows."""
    assert set(TRANSITIONS) == set(BreakerState)
    for state, steps in TRANSITIONS.items():
        assert set(steps.values()) - {state}
        assert {"force_open", "disable", "reset"} <= set(steps)
    assert {after for steps in TRANSITIONS.values() for after in steps.values()} == set(BreakerState)


@pytest.mark.parametrize(
    ("state", "events"),
    [
        (CLOSED, ["pause_over", "heal"]),
        (OPEN, ["trip", "heal"]),
        (HALF_OPEN, ["pause_over"]),
        (FORCED_OPEN, ["trip", "pause_over", "heal"]),
        (DISABLED, ["trip", "pause_over", "heal"]),
    ],
)
def test_an_illegal_step_raises_and_changes_nothing(state, events):
    """The table is closed: what it does not name does not happen."""
    breaker, _ = bring_to(state)
    for event in events:
        with pytest.raises(IllegalStep, match=f"{state} cannot {event}"):
            breaker._move(event)
        assert breaker.state is state


def test_opens_on_failures_in_a_row_and_says_so_once():
    """The fifth failure opens it; a success in between starts the count anew."""
    breaker = new()
    moved = [call(breaker, START, ok) for ok in (False,) * 4 + (True,) + (False,) * 5]
    assert moved == [False] * 9 + [True]
    assert breaker.state is OPEN


def test_a_worker_that_fails_every_other_call_is_taken_out():
    """Half of twenty calls in the window: no run of five, and open all the same (failure mode 3 of the study)."""
    breaker = new()
    for number in range(20):
        assert breaker.state is CLOSED
        call(breaker, START + number * 0.1, number % 2 == 0)
    assert breaker.state is OPEN


def test_a_smaller_share_and_a_smaller_number_do_not_open_it():
    """40 % never opens it; half of nineteen calls in the window does not either."""
    patient, few = new(), new()
    for number in range(500):
        call(patient, START + number * 0.1, number % 5 not in (1, 3))
    for number in range(60):
        call(few, START + number * 0.6, number % 2 == 0)
    assert (patient.state, few.state) == (CLOSED, CLOSED)


def test_failures_that_have_left_the_window_do_not_count():
    """Ten failures long ago and one now are one."""
    breaker = new(failures=1000)
    for _ in range(19):
        call(breaker, START, False)
    call(breaker, START + 11.0, False)
    assert breaker.state is CLOSED
    assert breaker.describe(START + 11.0)["window_calls"] == 1


def test_a_success_never_opens_it():
    """The twentieth call completes a bad window but is a good one: the next bad one opens."""
    breaker = new()
    for number in range(19):
        call(breaker, START, number % 3 == 0)
    assert not call(breaker, START, True)
    assert breaker.state is CLOSED
    assert call(breaker, START, False)


def test_cancelled_calls_never_count():
    """A thousand clients that give up are no failure, and they do not fill the window either (failure mode 7)."""
    breaker = new()
    for _ in range(4):
        call(breaker, START, False)
    for _ in range(1000):
        call(breaker, START, None)
    assert breaker.state is CLOSED
    assert breaker.describe(START)["window_calls"] == 4
    assert call(breaker, START, False), "cancelled calls do not break a run either"


@pytest.mark.parametrize("permits", [1, 3])
def test_a_thousand_callers_at_expiry_get_exactly_the_permits(permits):
    """Before advance nobody passes; after it `permits` do, and no more until one comes back (failure mode 4)."""
    breaker = new(permits=permits, successes=10)
    until = trip(breaker)
    assert [breaker.acquire(until) for _ in range(1000)] == [None] * 1000
    assert not breaker.advance(until - 0.001)
    assert breaker.advance(until)
    given = [p for p in (breaker.acquire(until) for _ in range(1000)) if p is not None]
    assert len(set(given)) == permits
    breaker.record(given[0], until, True)
    assert sum(breaker.acquire(until) is not None for _ in range(1000)) == 1


def test_good_trials_close_it_and_start_from_nothing():
    """After `successes` good ones it is closed, and what failed before counts no more."""
    breaker = new(successes=2)
    now = half_open(breaker)
    assert not call(breaker, now, True)
    assert breaker.state is HALF_OPEN
    assert call(breaker, now, True)
    assert breaker.state is CLOSED
    for _ in range(4):
        call(breaker, now, False)
    assert breaker.state is CLOSED


def test_good_trials_of_an_earlier_try_do_not_count():
    """One good, one bad; after the next pause it takes two good ones again."""
    breaker = new(successes=2)
    now = half_open(breaker)
    call(breaker, now, True)
    call(breaker, now, False)
    now = breaker.wakes_at() or 0.0
    breaker.advance(now)
    assert not call(breaker, now, True)
    assert call(breaker, now, True)


def test_one_bad_trial_opens_it_again():
    """Good ones before it do not help, and the trials still out no longer count."""
    breaker = new(permits=3, successes=3)
    now = half_open(breaker)
    first, second, third = (breaker.acquire(now) for _ in range(3))
    assert first is not None
    assert second is not None
    assert third is not None
    assert not breaker.record(first, now, True)
    assert breaker.record(second, now, False)
    until = breaker.wakes_at()
    assert not breaker.record(third, now, False)
    assert (breaker.state, breaker.wakes_at()) == (OPEN, until)


def test_a_cancelled_trial_returns_its_permit():
    """However many trials are given up, the next may be tried (failure mode 5)."""
    breaker = new(permits=1, successes=1)
    now = half_open(breaker)
    for _ in range(100):
        assert not call(breaker, now, None)
    assert breaker.state is HALF_OPEN
    assert call(breaker, now, True)


def test_a_lost_trial_is_taken_back_after_the_longest_pause():
    """It says when, and another trial may begin then; the late outcome still counts (failure mode 5)."""
    breaker = new(permits=1, successes=1, open_max_s=60.0)
    now = half_open(breaker)
    lost = breaker.acquire(now)
    assert lost is not None
    assert breaker.wakes_at() == now + 60.0
    assert not breaker.advance(now + 59.0)
    assert breaker.admits(now + 59.0) == 0
    assert breaker.advance(now + 60.0)
    assert breaker.wakes_at() is None
    assert breaker.admits(now + 60.0) == 1
    assert breaker.acquire(now + 60.0) is not None
    assert breaker.record(lost, now + 61.0, True)
    assert breaker.state is CLOSED


def test_a_lost_trial_is_taken_back_even_if_nobody_advances():
    """A caller that comes after the longest pause gets the permit, and the number out stays bounded."""
    breaker = new(permits=2, successes=5, open_max_s=60.0)
    now = half_open(breaker)
    for round_number in range(20):
        later = now + 60.0 * round_number
        assert breaker.admits(later) == 2
        assert sum(breaker.acquire(later) is not None for _ in range(10)) == 2
        assert len(breaker._trials) == 2


@pytest.mark.parametrize("ok", [True, False])
def test_outcomes_from_before_a_change_of_state_are_ignored(ok):
    """Calls that began while it was closed neither close, open nor lengthen anything later (failure mode 6)."""
    breaker = new(failures=1, permits=1, successes=1)
    old = [permit for permit in (breaker.acquire(START) for _ in range(10)) if permit is not None]
    until = trip(breaker)
    assert [breaker.record(p, START, ok) for p in old[:4]] == [False] * 4
    assert breaker.wakes_at() == until
    breaker.advance(until)
    assert [breaker.record(p, until, ok) for p in old[4:7]] == [False] * 3
    assert (breaker.state, breaker.admits(until)) == (HALF_OPEN, 1)
    call(breaker, until, True)
    assert [breaker.record(p, until, ok) for p in old[7:]] == [False] * 3
    assert breaker.state is CLOSED
    assert breaker.describe(until)["window_calls"] == 0


def pauses(breaker: CircuitBreaker, count: int) -> list[float]:
    """Lengths of the pauses of a worker that fails every trial."""
    now, found = START, []
    until = trip(breaker, now)
    for _ in range(count):
        found.append(until - now)
        now = until
        breaker.advance(now)
        call(breaker, now, False)
        until = breaker.wakes_at() or 0.0
    return found


def test_each_bad_trial_doubles_the_pause_up_to_the_longest():
    """5, 10, 20 ... s, each a fifth shorter or longer, none above open_max_s (failure mode 11)."""
    for seed in range(20):
        found = pauses(new(seed, open_s=5.0, open_max_s=300.0), 40)
        for pause_s, planned_s in zip(found, (5.0, 10.0, 20.0, 40.0, 80.0, 160.0), strict=False):
            assert 0.8 * planned_s <= pause_s <= 1.2 * planned_s
        assert all(300.0 / 1.5 <= pause_s <= 300.0 for pause_s in found[6:])
    assert pauses(new(), 1100)[-1] <= 300.0


def test_pauses_of_routers_that_trip_together_end_apart():
    """A hundred simultaneous trips end over at least a fifth of the first pause, also at the cap (failure mode 13)."""
    first = [pauses(new(seed, open_s=10.0), 1)[0] for seed in range(100)]
    longest = [pauses(new(seed, open_s=10.0), 9)[8] for seed in range(100)]
    assert max(first) - min(first) >= 0.2 * 10.0
    assert max(longest) - min(longest) >= 0.2 * 250.0


@pytest.mark.parametrize(
    ("healthy_s", "planned_s"), [(0.0, 40.0), (9.0, 40.0), (11.0, 20.0), (21.0, 10.0), (31.0, 5.0), (9999.0, 5.0)]
)
def test_a_healthy_period_takes_one_doubling_back(healthy_s, planned_s):
    """After three openings in a row the next pause is 40 s, less one doubling for each 10 s spent closed."""
    breaker = new(open_s=5.0, window_s=10.0, permits=1, successes=1)
    pauses(breaker, 2)
    now = breaker.wakes_at() or 0.0
    breaker.advance(now)
    call(breaker, now, True)
    assert breaker.state is CLOSED
    again = now + healthy_s
    assert 0.8 * planned_s <= trip(breaker, again) - again <= 1.2 * planned_s


def test_opening_again_never_brings_the_end_of_the_pause_forward():
    """A report with an old time stamp keeps the later deadline (compare LiteLLM issue 40130)."""
    breaker = new()
    until = half_open(breaker)
    permit = breaker.acquire(until)
    assert permit is not None
    breaker.record(permit, until - 500.0, False)
    assert breaker.wakes_at() == until


def test_reset_forgets_the_pauses_too():
    """After a reset the next pause is a first one, and failures start from nothing."""
    breaker = new(open_s=5.0)
    trip(breaker, 0.0)
    for now in (10.0, 30.0):
        breaker.advance(now)
        call(breaker, now, False)
    breaker.reset()
    for _ in range(4):
        call(breaker, 31.0, False)
    assert breaker.state is CLOSED
    assert trip(breaker, 31.0) - 31.0 <= 6.0


def test_an_operator_outranks_calls_that_are_out():
    """Outcomes of calls from before force_open, disable or reset change nothing afterwards."""
    for act in (CircuitBreaker.force_open, CircuitBreaker.disable, CircuitBreaker.reset):
        breaker = new(failures=1, permits=2, successes=1)
        now = half_open(breaker)
        first, second = breaker.acquire(now), breaker.acquire(now)
        assert first is not None
        assert second is not None
        act(breaker)
        state = breaker.state
        assert not breaker.record(first, now, False)
        assert not breaker.record(second, now, True)
        assert breaker.state is state


def test_a_leap_of_the_clock_is_only_time_that_passed():
    """After a suspend of a minute an open breaker is due, a closed one has an empty window, nothing trips."""
    breaker = new()
    for _ in range(4):
        call(breaker, START, False)
    call(breaker, START + 60.0, True)
    assert breaker.state is CLOSED
    assert breaker.describe(START + 60.0)["window_failures"] == 0


def test_describe_shows_what_it_knows():
    """State, run, window, trials, and seconds to the next step; a plain dict of plain values."""
    breaker = new(permits=2)
    call(breaker, START, True)
    call(breaker, START, False)
    assert breaker.describe(START) == {
        "state": "closed",
        "failures_in_row": 1,
        "window_calls": 2,
        "window_failures": 1,
        "trials_out": 0,
        "trials_good": 0,
        "wakes_in_s": None,
    }
    until = trip(breaker)
    assert breaker.describe(until - 2.0)["wakes_in_s"] == pytest.approx(2.0)
    breaker.advance(until)
    breaker.acquire(until)
    call(breaker, until, True)
    seen = breaker.describe(until)
    assert (seen["state"], seen["trials_out"], seen["trials_good"]) == ("half_open", 1, 1)
