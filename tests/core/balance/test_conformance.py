"""What every balancer promises, run for each of them: the contract of `ports.Balancer`."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.balance import BALANCERS
from pointsman.core.load import WorkerLoad
from pointsman.model.errors import UsageError
from pointsman.model.settings import CHOICES
from pointsman.ports import Balancer
from tests.core.balance.fleet import CHI_SQUARE_OF_TEN, CountedLoad, chi_square, finish, fleet, loads, make, start

every_balancer = pytest.mark.parametrize("name", BALANCERS)


def test_the_settings_name_these_balancers_and_no_others():
    """A balancer that cannot be chosen, or a choice that does not exist, is a mistake."""
    assert set(BALANCERS) == set(CHOICES["pools.*.balancer"])


@every_balancer
def test_an_empty_fleet_has_no_pick(name):
    """None before anybody joined and after everybody left."""
    balancer = make(name)
    assert balancer.pick(0.0) is None
    balancer, members = fleet(name, 3)
    for load in members:
        balancer.remove(load)
    assert balancer.pick(0.0) is None


@every_balancer
@pytest.mark.parametrize("why", ["closed", "full", "ceiling"])
def test_only_eligible_loads_are_picked(name, why):
    """One of three can take a message: it is the pick, whatever holds the others back, until it cannot either."""
    balancer, members = fleet(name, 3, limit=2)

    def hold_back(load: WorkerLoad) -> None:
        if why == "closed":
            load.open = False
        elif why == "full":
            load.start()
            load.start()
        else:
            load.ceiling = 0
        balancer.update(load)

    hold_back(members[0])
    hold_back(members[2])
    assert {balancer.pick(0.0) for _ in range(20)} == {members[1]}
    hold_back(members[1])
    assert balancer.pick(0.0) is None


@every_balancer
def test_a_load_comes_back_when_it_can_take_a_message_again(name):
    """Opened, raised or finished: the change is announced and the load is picked."""
    balancer, (load,) = fleet(name, 1, limit=1)
    start(balancer, load)
    assert balancer.pick(0.0) is None
    finish(balancer, load, 1.0)
    assert balancer.pick(1.0) is load
    load.open = False
    balancer.update(load)
    assert balancer.pick(1.0) is None
    load.open = True
    balancer.update(load)
    assert balancer.pick(1.0) is load


@every_balancer
def test_a_load_that_joins_full_or_closed_waits_for_its_turn(name):
    """Joining is no promise of room."""
    balancer, (load,) = make(name), loads(1)
    load.open = False
    balancer.add(load)
    assert balancer.pick(0.0) is None
    load.open = True
    balancer.update(load)
    assert balancer.pick(0.0) is load


@every_balancer
def test_a_load_that_left_stays_away(name):
    """Its last messages end after it left: the update that follows does not bring it back."""
    balancer, members = fleet(name, 2)
    start(balancer, members[0])
    balancer.remove(members[0])
    finish(balancer, members[0], 1.0)
    assert {balancer.pick(1.0) for _ in range(20)} == {members[1]}


@every_balancer
def test_unknown_loads_are_ignored(name):
    """Removing or updating a stranger, or removing twice, does nothing."""
    balancer, members = fleet(name, 2)
    stranger = WorkerLoad("stranger", 1, members[0]._mean)
    balancer.update(stranger)
    balancer.remove(stranger)
    balancer.remove(members[0])
    balancer.remove(members[0])
    assert {balancer.pick(0.0) for _ in range(20)} == {members[1]}


@every_balancer
def test_adding_twice_adds_once(name):
    """After one removal it is gone."""
    balancer, (load,) = fleet(name, 1)
    balancer.add(load)
    balancer.remove(load)
    assert balancer.pick(0.0) is None


@every_balancer
def test_a_load_cannot_be_in_two_balancers(name):
    """The second one says so and takes nothing; after a removal the load may move, full or not."""
    first, (load,) = fleet(name, 1)
    second = make(name)
    with pytest.raises(UsageError, match="remove it there"):
        second.add(load)
    second.remove(load)
    assert (first.pick(0.0), second.pick(0.0)) == (load, None)
    first.remove(load)
    second.add(load)
    assert (first.pick(0.0), second.pick(0.0)) == (None, load)


@every_balancer
@pytest.mark.parametrize("kind", [tuple, list, set, frozenset])
def test_avoided_loads_are_not_picked(name, kind):
    """The rest is; None where nothing is left, and then everything again."""
    balancer, members = fleet(name, 5)
    for _ in range(30):
        assert balancer.pick(0.0, kind(["w1", "w3", "gone"])) in {members[0], members[2], members[4]}
    assert balancer.pick(0.0, kind(load.id for load in members)) is None
    members[0].open = False
    balancer.update(members[0])
    assert balancer.pick(0.0, kind(["w1", "w2", "w3", "w4"])) is None
    assert balancer.pick(0.0) in members[1:]


@every_balancer
def test_picking_changes_no_load(name):
    """A pick that is not followed by a start leaves every load as it was."""
    balancer, members = fleet(name, 4)
    start(balancer, members[0])
    start(balancer, members[1])
    finish(balancer, members[1], 1.0, 9.0, False)

    def seen() -> list[tuple[object, ...]]:
        return [
            (load.in_flight, load.available, load.ceiling, load.estimate(50.0), load.cost(50.0)) for load in members
        ]

    before = seen()
    for second in range(40):
        balancer.pick(float(second), ("w2",) if second % 3 == 0 else ())
    assert seen() == before


@every_balancer
def test_equal_loads_are_picked_equally_often(name):
    """10,000 messages one after the other to ten equal idle workers: chi-square p > 0.001 (failure mode 17)."""
    balancer, members = fleet(name, 10, seed=7)
    picked: Counter[str] = Counter()
    for number in range(10_000):
        load = balancer.pick(float(number))
        assert load is not None
        picked[load.id] += 1
        start(balancer, load)
        finish(balancer, load, number + 0.5, 0.5)
    assert chi_square([picked[load.id] for load in members]) < CHI_SQUARE_OF_TEN


@every_balancer
def test_equal_loads_are_picked_equally_often_with_one_avoided(name):
    """The rule that avoids one worker does not favour its neighbour."""
    balancer, members = fleet(name, 11, seed=8)
    picked: Counter[str] = Counter()
    for number in range(10_000):
        load = balancer.pick(float(number), ("w4",))
        assert load is not None
        picked[load.id] += 1
        start(balancer, load)
        finish(balancer, load, number + 0.5, 0.5)
    assert picked["w4"] == 0
    assert chi_square([picked[load.id] for load in members if load.id != "w4"]) < CHI_SQUARE_OF_TEN


@every_balancer
def test_a_decision_looks_at_as_many_loads_in_a_large_fleet_as_in_a_small_one(name):
    """Looks at loads per message, there and back: bounded, and the same for 10 and for 2,000 workers."""
    per_message = {}
    for count in (10, 2000):
        balancer, members = make(name, 3), loads(count, kind=CountedLoad)
        for load in members:
            balancer.add(load)
        busy: list[WorkerLoad] = []

        def hand_out(now: float, avoid: tuple[str, ...], balancer: Balancer = balancer, busy: list = busy) -> None:
            load = balancer.pick(now, avoid)
            assert load is not None
            start(balancer, load)
            busy.append(load)

        for _ in range(2 * count):  # half of the slots in hand
            hand_out(0.0, ())
        CountedLoad.looks = 0
        for number in range(2000):
            now = number / 100
            hand_out(now, ("w1", "w2") if number % 4 == 0 else ())
            done = busy.pop((number * 7919) % len(busy))
            finish(balancer, done, now, 0.2 + (number % 13) / 10, number % 17 != 0)
        per_message[count] = CountedLoad.looks / 2000
    assert per_message[2000] <= 7.0
    assert per_message[2000] <= per_message[10] + 3.0


class Model:
    """The eligible loads, found by looking at all of them."""

    def __init__(self) -> None:
        self.members: list[WorkerLoad] = []

    def eligible(self, avoid: list[str]) -> list[WorkerLoad]:
        return [load for load in self.members if load.available and load.id not in avoid]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove", "start", "start", "finish", "finish", "open", "ceiling", "limit", "late"]),
        st.integers(0, 6),
        st.integers(0, 4),
        st.lists(st.integers(0, 6), max_size=3),
    ),
    max_size=60,
)


@every_balancer
@given(STEPS)
@settings(max_examples=120, deadline=None)
def test_the_pick_is_eligible_and_none_only_where_nobody_is(name, steps):
    """Over any history of joins, leaves, starts, finishes and changes; a balancer that minimises does."""
    balancer, everyone, model, now = make(name), loads(7, limit=2), Model(), 0.0
    for verb, number, value, avoided in steps:
        load = everyone[number]
        now += value
        apply(balancer, model, load, verb, value, now)
        avoid = [f"w{other}" for other in avoided]
        eligible = model.eligible(avoid)
        picked = balancer.pick(now, avoid)
        assert (picked in eligible) if eligible else (picked is None)
        if picked is not None and name == "least_loaded":
            assert picked.in_flight == min(load.in_flight for load in eligible)
        if picked is not None and name == "p2c" and len(eligible) <= 2:
            assert picked.in_flight == min(load.in_flight for load in eligible)


def apply(balancer, model: Model, load: WorkerLoad, verb: str, value: int, now: float) -> None:
    """One step on the balancer and on the model."""
    if verb == "add":
        balancer.add(load)
        if load not in model.members:
            model.members.append(load)
        return
    if verb == "remove":
        balancer.remove(load)
        if load in model.members:
            model.members.remove(load)
        return
    if verb == "start":
        load.start()
    elif verb in {"finish", "late"}:
        if load.in_flight:
            load.finish(now, value / 2, value % 3 != 0)
    elif verb == "open":
        load.open = value % 2 == 0
    elif verb == "ceiling":
        load.ceiling = value
    else:
        load.limit = 1 + value
    balancer.update(load)
