"""The power of two choices."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.core.balance.fleet import CHI_SQUARE_OF_TEN, chi_square, fleet, start


def test_of_two_eligible_workers_the_less_loaded_is_always_picked():
    """With two the choice is exact, unlike where the two draws may hit the same worker."""
    balancer, members = fleet("p2c", 2)
    start(balancer, members[0])
    assert {balancer.pick(0.0) for _ in range(200)} == {members[1]}


def test_with_one_avoided_two_are_left_and_the_choice_is_exact():
    """The same for a retry that must not go to the same worker."""
    balancer, members = fleet("p2c", 3)
    start(balancer, members[0])
    assert {balancer.pick(0.0, ("w2",)) for _ in range(200)} == {members[1]}


@pytest.mark.parametrize("avoid", [(), ("w0",)])
def test_the_most_loaded_worker_is_never_picked(avoid):
    """Whoever it is compared with has fewer in hand."""
    balancer, members = fleet("p2c", 6)
    start(balancer, members[5])
    picked = Counter(load.id for load in (balancer.pick(0.0, avoid) for _ in range(500)) if load)
    assert picked["w5"] == 0
    assert len(picked) == 5 - len(avoid)


def test_the_less_loaded_half_gets_three_quarters():
    """Both draws hit the loaded half in about a quarter of the cases: 10 of 45 pairs."""
    balancer, members = fleet("p2c", 10, seed=3)
    for load in members[5:]:
        start(balancer, load)
    picked = Counter(load.id for load in (balancer.pick(0.0) for _ in range(9000)) if load)
    loaded = sum(picked[load.id] for load in members[5:])
    assert 1850 < loaded < 2150  # 2,000 expected, standard deviation 39
    assert chi_square([picked[load.id] for load in members[:5]]) < CHI_SQUARE_OF_TEN
