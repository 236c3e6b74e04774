"""Tasks: none is lost, a loop that fails starts again, and closing ends them all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from itertools import pairwise
from typing import Any

import pytest

from pointsman.runtime.tasks import BriefTasks, Tasks
from pointsman.sim import SimClock


async def test_a_failed_task_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """Its traceback is in the log, under its name."""

    async def fail() -> None:
        raise ZeroDivisionError

    task = Tasks(SimClock()).spawn(fail(), "the failing one")
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert "the failing one" in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_a_supervised_loop_starts_again(caplog: pytest.LogCaptureFixture) -> None:
    """It fails three times with growing pauses, then ends well."""
    clock = SimClock()
    times: list[float] = []

    async def loop() -> None:
        times.append(clock.monotonic())
        if len(times) < 4:
            raise ZeroDivisionError

    await Tasks(clock).supervise(loop, "loop")
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses == pytest.approx([0.05, 0.1, 0.2])
    assert caplog.text.count("loop failed") == 3


async def test_closing_ends_everything() -> None:
    """Nothing runs afterwards, and cancellation is no failure."""
    clock = SimClock()
    tasks = Tasks(clock)
    tasks.spawn(clock.sleep_until(1e12), "long")
    tasks.supervise(lambda: clock.sleep_until(1e12), "longer")
    assert len(tasks) == 2
    await tasks.close()
    assert len(tasks) == 0


async def test_what_a_task_starts_while_it_ends_is_waited_for_too() -> None:
    """A clean-up that needs a task of its own does not outlive the router."""
    clock = SimClock()
    tasks = Tasks(clock)
    ended: list[str] = []

    async def clean_up() -> None:
        try:
            await clock.sleep_until(1e12)
        finally:
            ended.append("second")

    async def work() -> None:
        try:
            await clock.sleep_until(1e12)
        finally:
            tasks.spawn(clean_up(), "clean-up")
            ended.append("first")

    tasks.spawn(work(), "work")
    await asyncio.sleep(0)
    await tasks.close()
    assert len(tasks) == 0
    assert ended[0] == "first"


async def test_closing_from_within_a_task_does_not_wait_for_itself() -> None:
    """Whoever closes may be one of them."""
    clock = SimClock()
    tasks = Tasks(clock)
    tasks.spawn(clock.sleep_until(1e12), "long")
    closing = tasks.spawn(tasks.close(), "closing")
    await asyncio.wait([closing])
    await asyncio.sleep(0)
    assert len(tasks) == 0


class Ends:
    """Brief tasks, and how each has ended."""

    def __init__(self) -> None:
        self.tasks = BriefTasks("brief")
        self.seen: list[str] = []

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Start one."""
        self.tasks.start(asyncio.get_running_loop(), work, lambda fault: self.seen.append(repr(fault)))


async def test_a_brief_task_tells_how_it_ended() -> None:
    """Well, or by what it raised; nothing else is told of its failure."""

    async def fail() -> None:
        raise ZeroDivisionError("oops")

    ends = Ends()
    ends.start(asyncio.sleep(1.0))
    ends.start(fail())
    assert (len(ends.tasks), ends.seen) == (2, [])
    await asyncio.sleep(2.0)
    assert (len(ends.tasks), ends.seen) == (0, ["ZeroDivisionError('oops')", "None"])


async def test_a_brief_task_that_ends_well_costs_no_callback() -> None:
    """It tells within its last step."""
    ends = Ends()
    ends.start(asyncio.sleep(0.0))
    await asyncio.sleep(0.0)
    assert ends.seen == []
    await asyncio.sleep(0.0)
    assert ends.seen == ["None"]


async def test_brief_tasks_are_waited_for_and_then_cancelled() -> None:
    """Those that clean up may do so; the number of those that were late is told."""
    cleaned = []

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1.0)
            cleaned.append(True)

    ends = Ends()
    assert await ends.tasks.end(5.0) == 0
    ends.start(asyncio.sleep(3.0))
    ends.start(never())
    began = asyncio.get_running_loop().time()
    assert await ends.tasks.end(5.0) == 1
    assert asyncio.get_running_loop().time() - began == 6.0
    assert cleaned == [True]
    await asyncio.sleep(0.0)
    assert ends.seen == ["None", "CancelledError()"]


async def test_brief_tasks_may_be_cancelled_at_once() -> None:
    """Without patience, but not before their first step."""
    ends = Ends()
    ends.start(asyncio.sleep(9.0))
    assert await ends.tasks.end(0.0) == 1
    await asyncio.sleep(0.0)
    assert (ends.seen, len(ends.tasks)) == (["CancelledError()"], 0)


async def test_a_supervised_loop_is_known_by_its_name_while_it_runs() -> None:
    """Also between a failure and the next try; not once it has ended."""
    clock = SimClock()
    tasks = Tasks(clock)

    async def fail() -> None:
        raise ZeroDivisionError

    tasks.supervise(fail, "failing")
    ended = tasks.supervise(lambda: clock.sleep_until(0.0), "short")
    await clock.sleep(1.0)
    assert (tasks.runs("failing"), tasks.runs("short"), tasks.runs("unknown")) == (True, False, False)
    assert ended.done()
    await tasks.close()
    assert not tasks.runs("failing")
