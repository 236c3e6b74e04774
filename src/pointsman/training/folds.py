"""Which examples may learn from which: folds by group, with near-duplicates kept together.

Two messages of one project, or two that say nearly the same, on both sides of a split make any model look right. So
groups go to one fold as a whole, and where two examples share half of their words or more (token Jaccard >= 0.5), their
groups do too; `duplicates` finds those.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from typing import Final

LARGEST: Final = 0.34
"""Share of the examples that one cluster may hold."""


def clusters(count: int, groups: Sequence[Hashable | None], pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Return a number for each of `count` examples, the same for those that must stay together."""
    parent = list(range(count))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    first: dict[Hashable, int] = {}
    for at, group in enumerate(groups):
        if group is not None:
            parent[root(at)] = root(first.setdefault(group, at))
    for one, other in pairs:
        parent[root(one)] = root(other)
    return [root(at) for at in range(count)]


def separable(count: int, groups: Sequence[Hashable | None], pairs: Sequence[tuple[int, int]]) -> tuple[list[int], str]:
    """Return clusters that can be put into folds, and what was given up for that: `pairs`, `groups`, or nothing.

    Near-duplicates of near-duplicates may chain half of a file together, and a file may be one group. What cannot be
    kept apart is then kept apart as far as it can.
    """
    for given_up, kept_groups, kept_pairs in (
        ("", groups, pairs),
        ("pairs", groups, []),
        ("groups", [None] * count, []),
    ):
        found = clusters(count, kept_groups, kept_pairs)
        if max(Counter(found).values(), default=0) <= max(1, count * LARGEST):
            return found, given_up
    return list(range(count)), "groups"


def assign(clustered: Sequence[int], classes: Sequence[Hashable], folds: int, rng: random.Random) -> list[int]:
    """Return the fold of each example: clusters whole, each into the fold where its classes are fewest so far."""
    members: defaultdict[int, list[int]] = defaultdict(list)
    for at, cluster in enumerate(clustered):
        members[cluster].append(at)
    order = sorted(members)
    rng.shuffle(order)
    order.sort(key=lambda cluster: -len(members[cluster]))
    held: list[Counter[Hashable]] = [Counter() for _ in range(folds)]
    fold_of = [0] * len(clustered)
    for cluster in order:
        mine = [classes[at] for at in members[cluster]]
        best = min(range(folds), key=lambda fold: (sum(held[fold][one] for one in mine), held[fold].total(), fold))
        held[best].update(mine)
        for at in members[cluster]:
            fold_of[at] = best
    return fold_of
