from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pointsman.training.folds import assign, clusters, separable


def test_groups_and_pairs_both_keep_together():
    """Rows 0 and 2 share a group, 2 and 3 say nearly the same, so 0, 2 and 3 are one."""
    found = clusters(5, ["a", "b", "a", None, None], [(2, 3)])
    assert found[0] == found[2] == found[3]
    assert len({found[0], found[1], found[4]}) == 3


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=25))
def test_clusters_are_what_walking_the_pairs_finds(pairs: list[tuple[int, int]]):
    """Two rows bear the same number exactly where a chain of pairs joins them."""
    found = clusters(20, [None] * 20, pairs)
    reached = {at: {at} for at in range(20)}
    for _ in range(20):
        for one, other in pairs:
            joined = reached[one] | reached[other]
            for at in joined:
                reached[at] = joined
    assert all((found[one] == found[other]) == (other in reached[one]) for one in range(20) for other in range(20))


def test_pairs_are_given_up_before_groups():
    """Where near-duplicates chain half of a file together, groups still hold."""
    groups = [str(at // 2) for at in range(20)]
    chained = [(at, at + 1) for at in range(15)]
    found, given_up = separable(20, groups, chained)
    assert given_up == "pairs"
    assert all(found[at] == found[at + 1] for at in range(0, 20, 2))
    assert len(set(found)) == 10


def test_one_group_of_all_rows_is_given_up():
    """Then every row stands for itself."""
    found, given_up = separable(10, ["same"] * 10, [])
    assert (len(set(found)), given_up) == (10, "groups")


def test_nothing_is_given_up_without_need():
    """Small clusters stay whole."""
    found, given_up = separable(10, [None] * 10, [(0, 1)])
    assert (found[0] == found[1], len(set(found)), given_up) == (True, 9, "")


def test_folds_keep_clusters_whole_and_classes_even():
    """A hundred rows of two classes in thirty clusters: every fold has about its share of both."""
    rng = random.Random(2)
    clustered = [rng.randrange(30) for _ in range(100)]
    classes = [cluster % 2 for cluster in clustered]
    fold = assign(clustered, classes, 5, random.Random(0))
    assert all(len({fold[at] for at in range(100) if clustered[at] == one}) <= 1 for one in range(30))
    sizes = Counter(fold)
    assert set(sizes) == set(range(5))
    for number in range(5):
        held = Counter(classes[at] for at in range(100) if fold[at] == number)
        assert all(held[one] >= 0.5 * classes.count(one) / 5 for one in (0, 1))


def test_folds_depend_on_the_seed_alone():
    """The same seed, the same folds; another one, others."""
    rows = list(range(40))
    one, same, other = (assign(rows, [0] * 40, 5, random.Random(seed)) for seed in (1, 1, 2))
    assert one == same != other
