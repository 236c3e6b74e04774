"""Versioned values: a stale writer loses, a watcher sees each newer version, and nothing is left behind."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from pointsman.engines.local.cabinet import Cabinet


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4)), max_size=30))
def test_a_write_succeeds_only_on_the_version_it_was_made_for(writes: list[tuple[str, int]]) -> None:
    """As in a dict of lists: the version is the number of writes so far, 0 where there is none."""
    cabinet = Cabinet()
    model: dict[str, list[bytes]] = {"a": [], "b": []}
    for number, (key, expect) in enumerate(writes):
        value = str(number).encode()
        version = len(model[key])
        written = cabinet.swap(key, expect, value)
        if expect == version:
            model[key].append(value)
            assert written == version + 1
        else:
            assert written is None
        for name, values in model.items():
            assert cabinet.read(name) == ((values[-1], len(values)) if values else None)


async def test_a_watcher_gets_the_newest_version_there_is() -> None:
    """Two writes in a row wake it once, with the second; an older version does not."""
    cabinet = Cabinet()
    cabinet.swap("k", 0, b"one")
    watching = asyncio.get_running_loop().create_task(cabinet.watch("k", 1))
    await asyncio.sleep(1.0)
    assert not watching.done()
    cabinet.swap("k", 1, b"two")
    cabinet.swap("k", 2, b"three")
    assert await watching == (b"three", 3)


async def test_a_watcher_that_leaves_leaves_nothing_behind() -> None:
    """A cancelled watch costs no memory and does not disturb the others."""
    cabinet = Cabinet()
    loop = asyncio.get_running_loop()
    gone, stays = (loop.create_task(cabinet.watch("k", 0)) for _ in range(2))
    alone = loop.create_task(cabinet.watch("never", 0))
    await asyncio.sleep(1.0)
    for task in (gone, alone):
        task.cancel()
    await asyncio.wait([gone, alone])
    cabinet.swap("k", 0, b"one")
    assert await stays == (b"one", 1)
    assert cabinet._watchers == {}
