"""Shortest expected delay: what is learned decides, and what is old is looked at again."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.balance.adaptive import CLASSES_PER_OCTAVE, SPARE_CLASSES, STALE_S, Adaptive
from pointsman.core.load import FleetMean, WorkerLoad
from tests.core.balance.fleet import finish, loads, start


def taught(count: int, limit: int, service_times_s: list[float]) -> tuple[Adaptive, list[WorkerLoad]]:
    """A balancer whose loads have learned these service times, at time 0."""
    balancer, members = Adaptive(Random(1)), loads(count, limit)
    for load in members:
        balancer.add(load)
    for _ in range(100):
        for load, service_s in zip(members, service_times_s, strict=True):
            start(balancer, load)
            finish(balancer, load, 0.0, service_s)
    return balancer, members


def test_the_fastest_free_worker_is_picked_until_work_in_hand_makes_it_dearer():
    """1 s, 2 s and 4.2 s: the fast one takes two, then the second has the same expected delay, and so on."""
    balancer, members = taught(3, 9, [1.0, 2.0, 4.2])
    order = []
    for _ in range(6):
        load = balancer.pick(0.0)
        assert load is not None
        start(balancer, load)
        order.append(load.in_flight * (1.0, 2.0, 4.2)[members.index(load)])
    assert order == sorted(order), "each message goes where the delay is shortest, so delays only rise"
    assert [load.in_flight for load in members] == [4, 2, 0] or [load.in_flight for load in members] == [3, 2, 1]


def test_a_worker_that_fails_is_dearer_than_one_twice_as_slow():
    """Three failures outweigh a factor of two in speed."""
    balancer, (fast, slow) = taught(2, 4, [1.0, 2.0])
    assert balancer.pick(0.0) is fast
    for _ in range(3):
        start(balancer, fast)
        finish(balancer, fast, 0.0, 0.001, ok=False)
    assert balancer.pick(0.0) is slow


@given(
    st.lists(
        st.tuples(st.sampled_from(["start", "ok", "bad", "toggle"]), st.integers(0, 5), st.floats(0.01, 50.0)),
        max_size=80,
    ),
    st.lists(st.integers(0, 5), max_size=2),
)
@settings(max_examples=150, deadline=None)
def test_no_eligible_worker_is_cheaper_by_more_than_a_class(steps, avoided):
    """Against a scan of the fleet, at one instant: the pick costs at most a class (6.25 %) more than the cheapest."""
    balancer, members = Adaptive(Random(2)), loads(6, limit=3)
    for load in members:
        balancer.add(load)
    avoid = {f"w{number}" for number in avoided}
    for verb, number, service_s in steps:
        load = members[number]
        if verb == "start":
            load.start()
        elif verb == "toggle":
            load.open = not load.open
        elif load.in_flight:
            load.finish(100.0, service_s, verb == "ok")
        balancer.update(load)
        # What nobody announced: the fleet's mean has moved for those that nothing is known of.
        for other in members:
            balancer.update(other)
        picked = balancer.pick(100.0, avoid)
        costs = [load.cost(100.0) for load in members if load.available and load.id not in avoid]
        assert (picked is None) == (not costs)
        if picked is not None:
            assert picked.cost(100.0) <= min(costs) * (1 + 1 / CLASSES_PER_OCTAVE) * (1 + 1e-9)


def test_differences_below_a_class_are_ties():
    """A rounding error does not lock all traffic in on one worker: both of two equals are drawn."""
    balancer, members = taught(2, 4, [1.03, 1.030001])
    assert {balancer.pick(0.0) for _ in range(50)} == set(members)


@pytest.mark.parametrize("count", [2, 5, 50])
def test_filed_costs_are_looked_at_again(count):
    """After STALE_S and one pick more than there are workers, each is filed under what it costs now."""
    balancer, members = taught(count, 4, [10.0] + [1.0] * (count - 1))
    later = 90.0
    for _ in range(count + 1):
        balancer.pick(later)
    assert all(later - load.filed_at <= STALE_S for load in members)
    fresh = Adaptive(Random(3))
    for load in members:
        balancer.remove(load)
        stamp = load.stamp
        fresh.pick(later)
        fresh.add(load)
        assert load.stamp == stamp


def test_leaves_do_not_cost_anybody_a_look():
    """Workers that leave move the others up in the turn; none of them is passed over."""
    balancer, members = taught(20, 4, [1.0] * 20)
    for _ in range(10):
        balancer.pick(50.0)
    for load in members[3:8]:
        balancer.remove(load)
    for _ in range(10):
        balancer.pick(50.0)
    assert all(load.filed_at == 50.0 for load in members[10:])


def test_a_worker_once_ten_times_slow_is_tried_again_though_others_are_always_free():
    """Two messages a second, one at a time: avoided for a minute, forgiven after ten (failure mode 14).

    Sooner where the others are busy. Nothing but the look that each pick takes at one more worker brings this about:
    no event of its own would ever file an idle worker anew.
    """
    balancer, members = taught(4, 1, [10.0, 1.0, 1.0, 1.0])
    picked_at = []
    for number in range(1200):
        now = number / 2
        load = balancer.pick(now)
        assert load is not None
        start(balancer, load)
        finish(balancer, load, now + 0.4, 1.0)
        if load is members[0]:
            picked_at.append(now)
    assert picked_at
    assert picked_at[0] > 60.0
    assert len([now for now in picked_at if now > 300.0]) > 60, "an equal share would be 150"


def test_the_heap_stays_small():
    """However the costs of few workers wander, the heap holds a bounded number of classes, each once."""
    balancer, members, rng = Adaptive(Random(4)), loads(3), Random(5)
    for load in members:
        balancer.add(load)
    for number in range(5000):
        load = members[number % 3]
        start(balancer, load)
        finish(balancer, load, float(number), rng.lognormvariate(0.0, 3.0) * 10 ** (number // 300), number % 5 != 0)
        assert len(balancer._heap) <= 2 * 3 + SPARE_CLASSES + 1
        assert len(set(balancer._heap)) == len(balancer._heap) == len(balancer._shelves)
    assert balancer.pick(5000.0) in members


def test_costs_out_of_the_ordinary_can_be_filed():
    """Service times of zero and of decades, and a guess of zero."""
    balancer, mean = Adaptive(Random(6)), FleetMean(guess_s=0.0)
    members = [WorkerLoad(f"w{number}", 2, mean) for number in range(3)]
    for load in members:
        balancer.add(load)
    assert balancer.pick(0.0) in members
    for load, service_s in zip(members, (0.0, 1e9, 5e-324), strict=True):
        start(balancer, load)
        finish(balancer, load, 1.0, service_s)
        assert balancer.pick(1.0) in members
