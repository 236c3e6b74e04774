"""In turn, and fair to those who come, go and step aside."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.load import WorkerLoad
from pointsman.ports import Balancer
from tests.core.balance.fleet import fleet, loads, make


def turns(balancer: Balancer, count: int, avoid: tuple[str, ...] = ()) -> list[str]:
    """Ids of the next picks."""
    return [load.id for load in (balancer.pick(0.0, avoid) for _ in range(count)) if load is not None]


def test_each_in_turn():
    """In the order in which they joined, again and again."""
    balancer, _ = fleet("round_robin", 3)
    assert turns(balancer, 7) == ["w0", "w1", "w2", "w0", "w1", "w2", "w0"]


def test_who_joins_comes_last_and_who_leaves_disturbs_nobody():
    """A newcomer waits for everybody once; the others keep their order."""
    balancer, members = fleet("round_robin", 3)
    newcomer = WorkerLoad("new", 1, members[0]._mean)
    assert turns(balancer, 1) == ["w0"]
    balancer.add(newcomer)
    balancer.remove(members[1])
    assert turns(balancer, 6) == ["w2", "w0", "new", "w2", "w0", "new"]


def test_who_is_avoided_keeps_its_turn():
    """A message that must not go to the next worker goes to the one after it; the next message goes to the next."""
    balancer, _ = fleet("round_robin", 4)
    assert turns(balancer, 1, avoid=("w0", "w1")) == ["w2"]
    assert turns(balancer, 4) == ["w0", "w1", "w3", "w2"]


def test_who_cannot_when_its_turn_comes_has_it_as_soon_as_it_can():
    """And who could not in between, but can when its turn comes, has lost nothing."""
    balancer, members = fleet("round_robin", 4)

    def set_open(load: WorkerLoad, is_open: bool) -> None:
        load.open = is_open
        balancer.update(load)

    set_open(members[0], False)
    set_open(members[2], False)
    assert turns(balancer, 1) == ["w1"]
    set_open(members[2], True)
    assert turns(balancer, 1) == ["w2"]
    set_open(members[0], True)
    assert turns(balancer, 5) == ["w0", "w3", "w1", "w2", "w0"]


def test_stepping_aside_is_paid_once():
    """A thousand closed workers are passed once, not at each pick."""
    balancer, members = fleet("round_robin", 1000)
    for load in members[1:]:
        load.open = False
        balancer.update(load)
    balancer.pick(0.0)
    balancer.pick(0.0)
    assert len(balancer._ring) == 1  # type: ignore[attr-defined]
    assert turns(balancer, 3) == ["w0"] * 3


@given(st.lists(st.tuples(st.sampled_from(["pick", "pick", "close", "open"]), st.integers(0, 4)), max_size=120))
@settings(max_examples=150, deadline=None)
def test_nobody_has_two_turns_while_another_waits_for_one(steps):
    """Between two turns of a worker, every other that could take a message all the while had its own."""
    balancer, members = make("round_robin"), loads(5)
    for load in members:
        balancer.add(load)
    since: dict[str, Counter[str]] = {load.id: Counter() for load in members}  # turns of others since own last turn
    for verb, number in steps:
        load = members[number]
        if verb != "pick":
            load.open = verb == "open"
            balancer.update(load)
            if not load.open:
                since[load.id].clear()
            continue
        picked = balancer.pick(0.0)
        if picked is None:
            assert not any(load.open for load in members)
            continue
        for other in members:
            if other is not picked:
                since[other.id][picked.id] += 1
                assert not other.open or since[other.id][picked.id] <= 2
        since[picked.id].clear()
