"""What a worker carries and what it is believed to cost."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.load import HALF_LIFE_S, SERVICE_FLOOR_S, SUCCESS_FLOOR, FleetMean, WorkerLoad
from pointsman.model.errors import UsageError


def one(mean_s: float = 1.0, limit: int = 4) -> WorkerLoad:
    """A load whose fleet has settled on `mean_s`."""
    mean = FleetMean()
    for _ in range(1000):
        mean.add(mean_s)
    return WorkerLoad("w", limit, mean)


def teach(load: WorkerLoad, now: float, service_s: float, ok: bool = True, times: int = 200) -> WorkerLoad:
    """The load after so many equal outcomes at one instant."""
    for _ in range(times):
        load.start()
        load.finish(now, service_s, ok)
    return load


@pytest.mark.parametrize(
    ("is_open", "limit", "ceiling", "in_flight", "available"),
    [
        (True, 4, 4, 0, 4),
        (True, 4, 4, 3, 1),
        (True, 4, 4, 4, 0),
        (True, 4, 4, 9, 0),
        (True, 4, 1, 0, 1),
        (True, 4, 9, 1, 3),
        (True, 4, 0, 0, 0),
        (False, 4, 4, 0, 0),
    ],
)
def test_available_is_what_limit_and_ceiling_leave(is_open, limit, ceiling, in_flight, available):
    """Available is min(limit, ceiling) - in_flight, never below 0, and 0 where the load is not open."""
    load = one(limit=limit)
    assert load.ceiling == limit
    load.open, load.ceiling, load.in_flight = is_open, ceiling, in_flight
    assert load.available == available


def test_finish_without_start_is_refused_and_changes_nothing():
    """In-flight counts never go below zero: the surplus finish raises and teaches nothing."""
    load = one()
    load.start()
    load.finish(1.0, 1.0, True)
    before = load.estimate(1.0)
    with pytest.raises(UsageError, match="exactly once after each start"):
        load.finish(1.0, 50.0, False)
    assert (load.in_flight, load.estimate(1.0)) == (0, before)


@given(
    st.lists(
        st.tuples(
            st.booleans(), st.sampled_from([True, False, None]), st.sampled_from([None, 0.0, 0.5, nan, -1.0, inf])
        ),
        max_size=60,
    )
)
@settings(max_examples=100, deadline=None)
def test_in_flight_is_starts_minus_finishes(steps):
    """Whatever came of the calls, in_flight is their number; the cost follows from it and the estimates, finite."""
    load, expected = one(), 0
    for at, (begins, ok, service_s) in enumerate(steps):
        if begins or not expected:
            load.start()
            expected += 1
        else:
            load.finish(float(at), service_s, ok)
            expected -= 1
        assert load.in_flight == expected
        for now in (float(at), at + 7.0, at + 500.0):
            believed_s, success_share = load.estimate(now)
            assert 0.0 < load.cost(now) < inf
            assert load.cost(now) == (expected + 1) * max(believed_s, SERVICE_FLOOR_S) / (success_share * success_share)


def test_an_ignorable_outcome_changes_only_the_count():
    """A cancelled call, a message's own fault and a busy worker teach nothing."""
    load = teach(one(), 10.0, 3.0, times=5)
    before = load.estimate(25.0)
    load.start()
    load.finish(20.0, 0.001, None)
    assert load.estimate(25.0) == before


HISTORY = st.lists(
    st.tuples(
        st.floats(0.0, 90.0),  # idle before the call
        st.floats(0.0, 40.0),  # its length
        st.sampled_from([True, True, False]),
    ),
    max_size=12,
)


@given(HISTORY, st.floats(0.0, 90.0), st.floats(0.0, 60.0), st.none() | st.floats(0.0, 60.0), st.floats(0.0, 100.0))
@settings(max_examples=300, deadline=None)
def test_a_failure_never_lowers_the_cost(history, idle_s, took_s, told_s, later_s):
    """However fast it came: dearer than before, and than if the call had been ignored, now and at any later time."""
    ignored, failed = one(mean_s=2.0), one(mean_s=2.0)
    now = 0.0
    for wait_s, service_s, ok in history:
        now += wait_s + service_s
        for load in (ignored, failed):
            load.start()
            load.finish(now, service_s, ok)
    now += idle_s + took_s
    for load in (ignored, failed):
        load.start()
    before = failed.cost(now) / 2.0  # of two in hand; after the finish it is the cost of one
    ignored.finish(now, told_s, None)
    failed.finish(now, told_s, False)
    assert failed.cost(now) >= before * (1 - 1e-9)
    assert failed.cost(now + later_s) >= ignored.cost(now + later_s) * (1 - 1e-9)


def test_a_failure_after_a_long_silence_does_not_lower_the_cost_either():
    """A fast worker's silence makes it as dear as the fleet; failing in the first call after it is no way back."""
    ignored, failed = (teach(one(mean_s=2.0), 0.0, 0.01) for _ in range(2))
    for load, ok in ((ignored, None), (failed, False)):
        load.start()
        load.finish(61.0, 0.01, ok)
    assert failed.cost(61.0) >= ignored.cost(61.0)


def test_a_failure_after_a_long_job_does_not_lower_the_cost_either():
    """A slow worker that is silent because it works is no better for failing in the end."""
    load = teach(one(mean_s=2.0), 0.0, 50.0)
    load.start()
    before = load.cost(61.0) / 2.0
    load.finish(61.0, 0.01, False)
    assert load.cost(61.0) >= before


def test_failures_weigh_by_the_square_of_the_success_share():
    """Five failures in a row make a worker about five times as dear; no number of them more than 400 times."""
    load = one()
    teach(load, 5.0, 0.001, ok=False, times=5)
    assert 4.5 < load.cost(5.0) < 5.5
    teach(load, 5.0, 0.001, ok=False, times=500)
    assert load.estimate(5.0)[1] == SUCCESS_FLOOR


def test_a_slow_failure_makes_a_worker_slower_and_a_fast_one_not_faster():
    """A time-out says that the work would have taken at least so long."""
    slow, fast = one(), one()
    teach(slow, 5.0, 30.0, ok=False, times=3)
    teach(fast, 5.0, 0.001, ok=False, times=3)
    assert slow.estimate(5.0)[0] > 2.0
    assert fast.estimate(5.0)[0] == pytest.approx(1.0)


def test_failures_do_not_move_the_fleets_mean():
    """What a failing worker took says nothing about what work takes."""
    mean = FleetMean()
    mean.add(2.0)
    teach(WorkerLoad("w", 1, mean), 1.0, 500.0, ok=False, times=50)
    assert mean.service_s == 2.0


def test_a_worker_nothing_is_known_of_costs_what_the_fleet_does():
    """The prior is the fleet's mean as it is now, not as it was when the worker joined."""
    mean = FleetMean(guess_s=7.0)
    new = WorkerLoad("new", 1, mean)
    assert new.cost(0.0) == 7.0
    teach(WorkerLoad("old", 1, mean), 1.0, 0.5)
    assert new.cost(1.0) == pytest.approx(0.5, rel=1e-6)


def test_first_outcomes_weigh_against_the_prior_and_many_outweigh_it():
    """One job of ten times the mean moves a new worker by a tenth of the way; two hundred move it all the way."""
    load = teach(one(), 1.0, 11.0, times=1)
    # The fleet's mean has moved too, by its own small step.
    assert 1.9 < load.estimate(1.0)[0] < 2.1
    teach(load, 1.0, 11.0)
    assert load.estimate(1.0)[0] == pytest.approx(11.0, rel=0.01)


def test_the_cost_grows_with_every_message_in_hand():
    """Twice as many expected to be in hand, twice the delay."""
    load = teach(one(), 1.0, 2.0)
    costs = []
    for _ in range(3):
        costs.append(load.cost(1.0))
        load.start()
    assert costs == pytest.approx([costs[0], 2 * costs[0], 3 * costs[0]])


def test_work_in_hand_counts_where_work_takes_no_time():
    """In virtual time a call may take 0 s; a second one in hand is dearer all the same."""
    load = teach(one(mean_s=0.0), 1.0, 0.0)
    idle = load.cost(1.0)
    load.start()
    assert idle > 0.0
    assert load.cost(1.0) == pytest.approx(2 * idle)


def test_an_idle_workers_estimates_drift_half_way_in_a_half_life():
    """Service time to the fleet's mean, success share to 1, both with the stated half-life; asking changes nothing."""
    load = teach(one(), 100.0, 9.0)
    teach(load, 100.0, 0.1, ok=False, times=3)
    service_s, success_share = load.estimate(100.0)
    mean_s = load._mean.service_s
    for half_lives in (2, 1):
        later = load.estimate(100.0 + half_lives * HALF_LIFE_S)
        assert later[0] - mean_s == pytest.approx((service_s - mean_s) / 2**half_lives)
        assert 1.0 - later[1] == pytest.approx((1.0 - success_share) / 2**half_lives)
    assert load.estimate(100.0) == (service_s, success_share)


def test_what_drifted_stays_drifted_after_the_next_success():
    """A worker that was slow two half-lives ago starts its next call from a quarter of the difference."""
    load = teach(one(), 0.0, 10.0)
    mean_s = load._mean.service_s
    load.start()
    load.finish(62.0, 2.0, True)
    drifted_s = mean_s + (10.0 - mean_s) / 4
    assert load.estimate(62.0)[0] == pytest.approx(drifted_s + 0.05 * (2.0 - drifted_s), rel=0.01)


def test_ten_times_slow_and_idle_for_a_minute_is_nearly_forgiven():
    """After 60 s at most a quarter of the difference is left (failure mode 14 of the study)."""
    load = teach(one(), 0.0, 10.0)
    assert load.cost(60.0) - load._mean.service_s <= 0.26 * (10.0 - load._mean.service_s)


def test_a_busy_workers_estimates_stay():
    """Work that takes its time is no silence: nothing drifts for three service times, and not for half a minute."""
    load = teach(one(), 100.0, 20.0)
    load.start()
    believed = load.estimate(100.0)
    assert load.estimate(100.0 + 59.0) == believed
    assert load.estimate(100.0 + 200.0)[0] < believed[0]
    quick = teach(one(), 100.0, 0.1)
    quick.start()
    assert quick.estimate(129.0) == quick.estimate(100.0)


def test_a_worker_that_is_never_idle_keeps_what_it_learned():
    """A worker much slower than its fleet, busy without a gap, is known to be slow: work is not silence."""
    load = teach(one(mean_s=1.0), 0.0, 20.0)
    believed = load.estimate(0.0)[0]
    now = 0.0
    for _ in range(20):
        load.start()
        now += 20.0
        load.finish(now, 20.0, True)
    assert load.estimate(now)[0] == pytest.approx(20.0, rel=0.02)
    assert believed == pytest.approx(20.0, rel=0.02)


def test_a_hung_call_does_not_hold_an_estimate_for_ever():
    """A worker with one call that never ends is forgiven what it did before, so that its other slots get work again."""
    load = teach(one(), 0.0, 0.1, ok=False, times=10)
    load.start()
    assert load.cost(400.0) < load.cost(0.0) / 10.0


@pytest.mark.parametrize("service_s", [nan, inf, -1.0, 1e12])
def test_a_time_that_is_no_duration_teaches_nothing_about_speed(service_s):
    """A broken measurement counts as success or failure and leaves the service time and the mean alone."""
    load = one()
    mean_s = load._mean.service_s
    teach(load, 1.0, service_s, times=3)
    teach(load, 1.0, service_s, ok=False, times=3)
    assert (load.estimate(1.0)[0], load._mean.service_s) == (mean_s, mean_s)
    assert load.estimate(1.0)[1] < 1.0


def test_the_first_outcome_replaces_the_guess_of_the_mean():
    """A guess is worth nothing next to a measurement; the next ones are averaged."""
    mean = FleetMean(guess_s=60.0)
    assert not mean.known
    mean.add(1.0)
    assert mean.known
    assert mean.service_s == 1.0
    mean.add(3.0)
    assert mean.service_s == 2.0


def test_the_mean_follows_a_fleet_that_changes():
    """About 200 outcomes are averaged, however many there were before."""
    mean = FleetMean()
    for _ in range(10_000):
        mean.add(1.0)
    for _ in range(600):
        mean.add(5.0)
    assert mean.service_s > 4.7
