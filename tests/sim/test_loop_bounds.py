"""What bounds a SimLoop: deadlocks, virtual time, steps."""

import asyncio

import pytest

from pointsman.sim import Deadlock, SimLoop, StepLimit, TimeLimit, run
from pointsman.sim.loop import START_S


def now() -> float:
    """Virtual seconds since the start."""
    return asyncio.get_running_loop().time() - START_S


def test_a_task_waiting_for_what_cannot_come_is_a_deadlock():
    """The error names each pending task, oldest first, and the chain of calls down to where it waits."""

    async def consume(queue: asyncio.Queue[int]) -> None:
        await queue.get()

    async def main() -> None:
        consumer = asyncio.create_task(consume(asyncio.Queue()), name="consumer")
        await asyncio.sleep(2)
        await consumer

    with pytest.raises(Deadlock) as caught:
        run(main)
    lines = str(caught.value).splitlines()
    assert "at virtual time 1000002.0 s (2 s after the start)" in lines[0]
    assert lines[1].startswith("  main: ")
    assert lines[1].endswith("> task 'consumer'")
    assert "consumer: " in lines[2]
    assert "consume (test_loop_bounds.py:" in lines[2]
    assert "> Queue.get (queues.py:" in lines[2]


def test_two_tasks_that_wait_for_each_other_are_a_deadlock():
    """The classic: two locks taken in opposite order."""

    async def take(first: asyncio.Lock, second: asyncio.Lock) -> None:
        async with first:
            await asyncio.sleep(1)
            async with second:
                pass

    async def main() -> None:
        a, b = asyncio.Lock(), asyncio.Lock()
        await asyncio.gather(take(a, b), take(b, a))

    with pytest.raises(Deadlock, match=r"(?s)task-2: .*Lock.acquire.*task-3: .*Lock.acquire"):
        run(main)


def test_an_infinite_wait_is_no_timer():
    """Sleeping for ever is recognised as waiting for what cannot come; time does not run to infinity."""
    with pytest.raises(Deadlock, match="0 s after the start"):
        run(lambda: asyncio.sleep(float("inf")))


def test_a_time_out_turns_the_deadlock_into_a_time_out():
    """As long as any timer is set the loop goes on."""

    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.Event().wait()
        return now()

    assert run(main) == 60


def test_a_periodic_task_cannot_hide_a_deadlock_for_ever():
    """Beyond max_time_s the run fails, naming who waits; a timer exactly at the bound still runs."""

    ticks: list[float] = []

    async def tick() -> None:
        while True:
            await asyncio.sleep(1)
            ticks.append(now())

    async def main() -> None:
        ticking = asyncio.create_task(tick(), name="ticking")
        await asyncio.Event().wait()
        await ticking

    with pytest.raises(TimeLimit, match=r"(?s)\(100 s after the start\).*main: .*Event.wait.*ticking: "):
        run(main, max_time_s=100)
    assert ticks[-1] == 100


def test_a_spinning_task_is_stopped():
    """A task that yields without waiting uses up max_steps; the error says that time stood still."""

    turns: list[float] = []

    async def spin() -> None:
        await asyncio.sleep(1)
        while True:
            await asyncio.sleep(0)
            turns.append(now())

    with pytest.raises(StepLimit, match=r"1,001 callbacks, the last 1,000 of them at one instant.*\n.*spin"):
        run(spin, max_steps=1_000)
    assert set(turns) == {1.0}


def test_steps_are_callbacks_and_bounds_can_be_set_anew():
    """Each callback counts, however many run in one round; new bounds count from now."""
    loop = SimLoop(max_steps=11, max_time_s=5)
    try:
        for _ in range(10):
            loop.call_soon(str)
        loop.settle()
        assert loop.steps == 11
        loop.allow(time_s=100, steps=2)
        for _ in range(2):
            loop.call_later(50, loop.stop)
            loop.run_forever()
        assert (loop.steps, loop.time()) == (13, START_S + 100)
        loop.call_soon(loop.stop)
        with pytest.raises(StepLimit):
            loop.run_forever()
    finally:
        loop.close()


@pytest.mark.parametrize(
    "bounds",
    [{"max_time_s": 0}, {"max_time_s": float("nan")}, {"max_steps": 0}, {"start_s": float("inf")}],
    ids=str,
)
def test_bounds_that_bound_nothing_are_refused(bounds):
    """Zero, negative and not-a-number bounds are mistakes, found when the loop is made."""
    with pytest.raises(ValueError):
        SimLoop(**bounds)
