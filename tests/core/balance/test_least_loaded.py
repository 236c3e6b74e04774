"""Exactly the fewest in hand."""

from __future__ import annotations

from tests.core.balance.fleet import finish, fleet, start


def test_messages_spread_level_by_level():
    """Nobody gets a second message before everybody had a first."""
    balancer, members = fleet("least_loaded", 7, limit=3)
    for level in range(3):
        for _ in range(7):
            load = balancer.pick(0.0)
            assert load is not None
            assert load.in_flight == level
            start(balancer, load)
    assert balancer.pick(0.0) is None
    assert {load.in_flight for load in members} == {3}


def test_the_minimum_moves_down_again():
    """A worker that has finished more than the others is the next."""
    balancer, members = fleet("least_loaded", 3, limit=10)
    for _ in range(5):
        for load in members:
            start(balancer, load)
    assert balancer.pick(0.0) in members
    for _ in range(5):
        finish(balancer, members[1], 1.0)
    assert {balancer.pick(1.0) for _ in range(20)} == {members[1]}


def test_with_the_least_loaded_avoided_the_next_level_is_picked():
    """Levels are gone through upwards, empty ones included."""
    balancer, members = fleet("least_loaded", 3, limit=10)
    for _ in range(2):
        start(balancer, members[1])
    for _ in range(6):
        start(balancer, members[2])
    assert balancer.pick(0.0, ("w0",)) is members[1]
    assert balancer.pick(0.0, ("w0", "w1")) is members[2]
    assert balancer.pick(0.0, ("w0", "w1", "w2")) is None
