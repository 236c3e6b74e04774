import asyncio
import logging
from collections.abc import AsyncGenerator

import pytest

from pointsman.sim import Deadlock, LeakedTasks, SimLoop, StrayErrors, run


async def forty_two() -> int:
    """Take a second."""
    await asyncio.sleep(1)
    return 42


def test_a_coroutine_and_a_function_that_makes_one_both_run():
    """The result of the main task is returned."""
    assert run(forty_two()) == 42
    assert run(forty_two) == 42


def test_anything_else_is_refused():
    """A result that is no coroutine is named."""
    with pytest.raises(TypeError, match=r"sim\.run\(\) needs .* got 3"):
        run(lambda: 3)  # type: ignore[arg-type, return-value]


async def test_it_does_not_nest():
    """Inside a running loop the coroutine is to be awaited instead."""
    with pytest.raises(RuntimeError, match="await the coroutine instead"):
        run(forty_two)


def test_the_main_error_is_what_one_gets():
    """Leftovers are cancelled and the loop is closed, and the error of the main task comes out."""
    seen: list[object] = []

    async def leftover() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(30)
            seen.append("cleaned up")

    async def main() -> None:
        seen.append(asyncio.get_running_loop())
        task = asyncio.create_task(leftover())
        await asyncio.sleep(1)
        raise LookupError(task.get_name())

    with pytest.raises(LookupError):
        run(main)
    loop, note = seen
    assert isinstance(loop, SimLoop)
    assert loop.is_closed()
    assert note == "cleaned up"


async def leave_a_task() -> str:
    """End before a task that it started."""
    task = asyncio.create_task(asyncio.sleep(60), name="forgotten")
    await asyncio.sleep(1)
    return task.get_name()


def test_a_task_left_behind_is_reported_by_name_and_place():
    """Success with a task still waiting is a leak."""
    with pytest.raises(LeakedTasks, match=r"1 tasks were left behind:\n  forgotten: sleep \(tasks.py:"):
        run(leave_a_task)


def test_leaks_may_be_allowed():
    """The result then comes out as always."""
    assert run(leave_a_task, allow_leaks=True) == "forgotten"


def test_a_task_that_ends_at_the_same_instant_is_no_leak():
    """Cancelling without awaiting is enough if the end takes no time, however many rounds it takes."""

    async def wind_down() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            for _ in range(20):
                await asyncio.sleep(0)

    async def main() -> None:
        task = asyncio.create_task(wind_down())
        await asyncio.sleep(1)
        task.cancel()

    run(main)


def test_a_task_that_needs_time_to_end_is_a_leak():
    """Its clean-up still runs to the end."""
    ended: list[bool] = []

    async def linger() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(1)
            ended.append(True)

    async def main() -> None:
        task = asyncio.create_task(linger())
        await asyncio.sleep(1)
        task.cancel()

    with pytest.raises(LeakedTasks):
        run(main)
    assert ended == [True]


def test_a_task_that_will_not_end_is_a_deadlock():
    """Swallowing a cancellation to wait on cannot hang the end of a run."""

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass

    async def main() -> None:
        task = asyncio.create_task(stubborn(), name="stubborn")
        await asyncio.wait([task], timeout=1)

    with pytest.raises(Deadlock, match="stubborn: "):
        run(main)


def test_a_callback_that_fails_fails_the_run():
    """Its error reaches nobody otherwise; it is logged as always too."""

    async def main() -> None:
        asyncio.get_running_loop().call_soon(divmod, 1, 0)
        await asyncio.sleep(1)

    with pytest.raises(StrayErrors, match=r"1 errors reached nobody:\n.*ZeroDivisionError") as caught:
        run(main)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_task_whose_failure_nobody_reads_fails_the_run(caplog):
    """Fire and forget hides no error."""

    async def fail() -> None:
        raise LookupError("unread")

    async def main() -> None:
        task = asyncio.create_task(fail())
        await asyncio.wait([task])

    with caplog.at_level(logging.ERROR), pytest.raises(StrayErrors, match="unread"):
        run(main)
    assert "unread" in caplog.text


def test_a_leftover_that_fails_on_being_cancelled_is_reported():
    """With leaks allowed its clean-up error still comes out."""

    async def fail_late() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise LookupError("at the end")

    async def main() -> None:
        task = asyncio.create_task(fail_late(), name="late")
        await asyncio.wait([task], timeout=1)

    with pytest.raises(StrayErrors, match=r"late failed on being cancelled.*at the end"):
        run(main, allow_leaks=True)


def test_async_generators_are_closed():
    """One that is still referred to, so that nothing else would close it."""
    kept: list[AsyncGenerator[int, None]] = []
    closed: list[bool] = []

    async def count() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            closed.append(True)

    async def main() -> int:
        kept.append(count())
        return await anext(kept[0])

    assert run(main) == 1
    assert closed == [True]


def test_equal_runs_take_equal_steps():
    """Two runs of one program are the same, callback by callback."""

    async def main() -> tuple[list[float], int]:
        loop, log = asyncio.get_running_loop(), []
        assert isinstance(loop, SimLoop)

        async def work(period_s: float) -> None:
            for _ in range(5):
                await asyncio.sleep(period_s)
                log.append(loop.time())

        await asyncio.gather(*(work(1 + number % 3) for number in range(10)))
        return log, loop.steps

    assert run(main) == run(main)
