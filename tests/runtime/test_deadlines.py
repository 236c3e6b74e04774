"""Deadlines: each task is cancelled at its own, none after it was dropped, and what is dropped does not pile up."""

from __future__ import annotations

import asyncio
import random

from pointsman.runtime.deadlines import Deadlines
from pointsman.sim import SimClock


async def test_each_task_is_cancelled_at_its_own_deadline() -> None:
    """Set in any order, they come in order of time, exactly."""
    clock = SimClock()
    deadlines = Deadlines(clock)
    began, came = clock.monotonic(), dict[int, float]()

    async def sleep(seconds: int) -> None:
        task = asyncio.current_task()
        assert task is not None
        deadline = deadlines.set(began + seconds, task)
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            assert deadline.is_why(task)
            came[seconds] = clock.monotonic() - began
        finally:
            deadlines.drop(deadline)

    order = list(range(1, 30))
    random.Random(3).shuffle(order)
    await asyncio.gather(*(sleep(seconds) for seconds in order))
    assert came == {seconds: float(seconds) for seconds in order}
    assert len(deadlines) == 0


async def test_a_dropped_deadline_never_comes() -> None:
    """Neither for the task it was set for nor for one that runs later."""
    clock = SimClock()
    deadlines = Deadlines(clock)
    task = asyncio.current_task()
    assert task is not None
    deadlines.drop(deadlines.set(clock.monotonic() + 1.0, task))
    kept = deadlines.set(clock.monotonic() + 3.0, task)
    await asyncio.sleep(2.0)
    deadlines.drop(kept)
    deadlines.drop(kept)
    await asyncio.sleep(5.0)
    assert len(deadlines) == 0


async def test_dropped_deadlines_do_not_pile_up() -> None:
    """Ten thousand attempts with a distant time-out leave a few hundred entries."""
    deadlines = Deadlines(SimClock())
    task = asyncio.current_task()
    assert task is not None
    for number in range(10_000):
        deadlines.drop(deadlines.set(1e9 + number, task))
        assert len(deadlines._heap) <= 512
    deadlines.close()


async def test_closing_rings_no_more() -> None:
    """What was set before is not cancelled after."""
    clock = SimClock()
    deadlines = Deadlines(clock)
    task = asyncio.current_task()
    assert task is not None
    deadlines.set(clock.monotonic() + 1.0, task)
    deadlines.close()
    await asyncio.sleep(2.0)
