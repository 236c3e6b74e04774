"""The router's own small state."""

from __future__ import annotations

import asyncio

from pointsman.testing.engine_suite.bench import Bench, case


@case
async def swaps_a_value_only_where_nobody_was_faster(bench: Bench) -> None:
    """Key/value writes go by version; a stale writer learns that it lost."""
    assert await bench.engine.read("k") is None
    assert await bench.engine.swap("k", 0, b"one") == 1
    assert await bench.engine.swap("k", 0, b"two") is None
    assert await bench.engine.read("k") == (b"one", 1)
    assert await bench.engine.swap("k", 1, b"two") == 2


@case
async def watches_a_key(bench: Bench) -> None:
    """Watching returns at once where there is a newer version already."""
    await bench.engine.swap("k", 0, b"one")
    assert await bench.engine.watch("k", 0) == (b"one", 1)


@case
async def wakes_whoever_watches(bench: Bench) -> None:
    """Everyone who waits for a newer version gets it; a write to another key wakes nobody."""
    watching = [asyncio.get_running_loop().create_task(bench.engine.watch("k", 0)) for _ in range(2)]
    await bench.pass_time(1.0)
    await bench.engine.swap("other", 0, b"x")
    await bench.pass_time(1.0)
    assert not any(task.done() for task in watching)
    await bench.engine.swap("k", 0, b"one")
    assert await asyncio.gather(*watching) == [(b"one", 1)] * 2
