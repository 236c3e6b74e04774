"""A list of loads without order, in which each load knows its place, so that leaving it needs no search.

The list is plain; these functions keep `WorkerLoad.index` true. The rule that a message is not sent twice to the same
worker (`avoid`) is kept here too, so that no balancer needs a scan for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from random import Random

    from pointsman.core.load import WorkerLoad


def put(loads: list[WorkerLoad], load: WorkerLoad) -> None:
    """Add a load that stands in no list."""
    load.index = len(loads)
    loads.append(load)


def take(loads: list[WorkerLoad], load: WorkerLoad) -> None:
    """Remove a load that stands in this list; the last one moves to its place."""
    last = loads.pop()
    if last is not load:
        loads[load.index] = last
        last.index = load.index
    load.index = -1


def draw(loads: list[WorkerLoad], avoid: Collection[str], rng: Random) -> WorkerLoad | None:
    """Return one of the loads whose id is not in `avoid`, all equally likely, or None if there is none.

    `avoid` is short, a few ids. Takes at most two random numbers on average where the list is more than twice as long,
    else looks at each load.
    """
    count = len(loads)
    if count <= 2 * len(avoid):
        left = [load for load in loads if load.id not in avoid]
        return left[int(rng.random() * len(left))] if left else None
    while True:
        load = loads[int(rng.random() * count)]
        if load.id not in avoid:
            return load
