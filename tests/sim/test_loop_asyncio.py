"""What asyncio promises also holds in a SimLoop."""

import asyncio
import threading

import pytest

from pointsman.sim import run
from pointsman.sim.loop import START_S


def now() -> float:
    """Virtual seconds since the start."""
    return asyncio.get_running_loop().time() - START_S


async def test_asyncio_works_as_always():
    """Groups, queues, events, shields, waits and time-outs behave as in a real loop."""
    queue: asyncio.Queue[int] = asyncio.Queue(maxsize=2)
    gate = asyncio.Event()
    got: list[int] = []

    async def produce() -> None:
        for number in range(5):
            await queue.put(number)
            await asyncio.sleep(0.5)
        gate.set()

    async def consume() -> None:
        while len(got) < 5:
            got.append(await queue.get())
            await asyncio.sleep(1)

    async with asyncio.TaskGroup() as group:
        group.create_task(produce())
        group.create_task(consume())
        group.create_task(gate.wait())
    assert got == [0, 1, 2, 3, 4]
    assert now() == 5

    slow = asyncio.create_task(asyncio.sleep(10, "slow"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(slow), timeout=1)
    done, pending = await asyncio.wait([slow], timeout=1)
    assert not done
    assert pending == {slow}
    assert await slow == "slow"
    assert now() == 15
    assert list(await asyncio.gather(asyncio.sleep(2, "a"), asyncio.sleep(1, "b"))) == ["a", "b"]
    ends = asyncio.as_completed([asyncio.sleep(2, "late"), asyncio.sleep(1, "early")])
    assert [await end for end in ends] == ["early", "late"]


async def test_a_failing_group_cancels_its_other_tasks():
    """Cancellation travels as always, at the instant of the failure."""

    async def fail() -> None:
        await asyncio.sleep(1)
        raise ValueError("no")

    sleepers: list[asyncio.Task[None]] = []

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            sleepers.append(group.create_task(asyncio.sleep(100)))

    with pytest.raises(ExceptionGroup):
        await work()
    assert sleepers[0].cancelled()
    assert now() == 1


async def test_an_async_generator_left_half_way_is_closed():
    """Its clean-up runs when nobody refers to it any more, through the hook that asyncio installs."""
    closed = asyncio.Event()

    async def count():
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(1)
            closed.set()

    async for _ in count():
        break
    await closed.wait()
    assert now() == 1


async def test_functions_for_threads_run_inline():
    """`to_thread` gives results and errors as always, on this thread, taking no time."""
    assert await asyncio.to_thread(threading.get_ident) == threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(divmod, 1, 0)
    assert now() == 0


def test_debug_mode_works():
    """The debug mode of asyncio checks what is scheduled, as always."""

    async def main() -> None:
        await asyncio.sleep(1)
        with pytest.raises(TypeError, match="coroutines cannot be used"):
            asyncio.get_running_loop().call_at(1, main)

    run(main, debug=True)
