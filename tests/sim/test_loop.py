import asyncio
import random
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.sim import Deadlock, SimLoop, run
from pointsman.sim.loop import CANCELLED_TIMERS_KEPT, START_S

DAY_S = 86_400.0
Log = list[tuple[float, int]]


def now() -> float:
    """Virtual seconds since the start."""
    return asyncio.get_running_loop().time() - START_S


def note(log: Log, number: int) -> None:
    """Write down who ran, and when."""
    log.append((now(), number))


@pytest.fixture
def loop() -> Iterator[SimLoop]:
    """A loop of its own, closed whatever happens."""
    made = SimLoop()
    yield made
    made.close()


async def test_time_jumps_to_the_next_timer_and_stands_still_in_between():
    """A sleep of thirty days ends exactly thirty days later; work takes no virtual time."""
    await asyncio.sleep(30 * DAY_S)
    for _ in range(100):
        await asyncio.sleep(0)
    assert now() == 30 * DAY_S


def test_time_starts_where_asked_and_not_at_zero():
    """The start is 1,000,000 s unless given, and time continues from it."""

    async def read() -> float:
        await asyncio.sleep(1.5)
        return asyncio.get_running_loop().time()

    assert run(read) == 1_000_001.5
    assert run(read, start_s=-7.0) == -5.5


@given(st.lists(st.sampled_from([0.0, 0.25, 1.0, 1.5, 3.0]), max_size=30))
async def test_timers_run_by_instant_and_then_in_order_of_creation(delays_s):
    """A stable sort by instant predicts the order of any set of timers, and each sees its own instant."""
    ran: Log = []
    loop = asyncio.get_running_loop()
    for number, delay_s in enumerate(delays_s):
        loop.call_later(delay_s, partial(note, ran, number))
    await asyncio.sleep(10)
    assert ran == sorted((delay_s, number) for number, delay_s in enumerate(delays_s))


@given(seed=st.integers(0, 2**32), cancelled_share=st.floats(0, 1))
async def test_cancelled_timers_never_run_and_never_disturb_the_others(seed, cancelled_share):
    """However many of 300 timers are cancelled, exactly the others run, each at its instant, in order."""
    rng = random.Random(seed)
    plan = [(rng.randrange(400), rng.random() < cancelled_share) for _ in range(300)]
    ran: Log = []
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimLoop)
    timers = [loop.call_later(at, partial(note, ran, n)) for n, (at, _) in enumerate(plan)]
    for timer, (_, cancelled) in zip(timers, plan, strict=True):
        if cancelled:
            timer.cancel()
    kept = sorted((float(at), n) for n, (at, cancelled) in enumerate(plan) if not cancelled)
    await asyncio.sleep(400)
    assert ran == kept
    assert loop._timer_cancelled_count == 0


def test_time_never_moves_to_a_cancelled_timer():
    """A timer that was cancelled neither moves time, nor hides a deadlock, nor exceeds a bound."""

    async def main() -> None:
        for delay_s in (1, 5, 1_000):
            asyncio.get_running_loop().call_later(delay_s, now).cancel()
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="0 s after the start"):
        run(main, max_time_s=100)


async def test_a_cancelled_callback_does_not_run():
    """Not even one that is ready already."""
    ran: list[int] = []
    asyncio.get_running_loop().call_soon(ran.append, 1).cancel()
    await asyncio.sleep(1)
    assert ran == []


async def test_cancelled_timers_do_not_pile_up():
    """Ten thousand time-outs that did not strike, each an hour long, leave few timers behind."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimLoop)
    for _ in range(10_000):
        async with asyncio.timeout(3_600):
            await asyncio.sleep(0.001)
    assert len(loop._timers) <= CANCELLED_TIMERS_KEPT + 2
    assert loop._timer_cancelled_count == sum(timer.cancelled() for _, _, timer in loop._timers)


def test_cancelling_a_timer_that_has_run_is_not_counted():
    """Each `asyncio.sleep` cancels its own spent timer; were that counted, each jump would sweep the heap."""

    async def sleep_often() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimLoop)
        for _ in range(500):
            await asyncio.sleep(1)
        return loop._timer_cancelled_count

    assert run(sleep_often) == 0


async def test_ready_callbacks_run_first_in_first_out_and_before_new_ones():
    """What a callback schedules for now runs after everything that was ready before it."""
    loop, ran = asyncio.get_running_loop(), []

    def first() -> None:
        ran.append("first")
        loop.call_soon(ran.append, "third")
        loop.call_later(0, ran.append, "fourth")

    loop.call_soon(first)
    loop.call_soon(ran.append, "second")
    await asyncio.sleep(0.1)
    assert ran == ["first", "second", "third", "fourth"]


async def test_a_timer_in_the_past_runs_now():
    """An instant that has gone by neither waits nor moves time back."""
    loop = asyncio.get_running_loop()
    seen = loop.create_future()
    loop.call_at(loop.time() - 5, lambda: seen.set_result(now()))
    assert await seen == 0


async def test_an_instant_that_is_not_a_number_is_refused():
    """NaN would destroy the order of all timers."""
    with pytest.raises(ValueError, match="NaN"):
        asyncio.get_running_loop().call_at(float("nan"), print)


def test_a_stopped_loop_stops_and_does_not_jump(loop):
    """Stop is obeyed after one round, even when nothing is ready and a timer waits."""
    loop.stop()
    loop.run_forever()
    loop.call_later(5, print)
    loop.stop()
    loop.run_forever()
    assert loop.time() == START_S


def test_task_names_and_order_repeat_from_run_to_run():
    """Unnamed tasks are numbered per loop; pending tasks are listed oldest first, whatever their names."""

    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimLoop)
        tasks = [asyncio.create_task(asyncio.sleep(1), name=name) for name in ("z", None, "a", None)]
        names = [task.get_name() for task in loop.pending_tasks()]
        await asyncio.gather(*tasks)
        return names

    assert run(main) == run(main) == ["main", "z", "task-3", "a", "task-5"]


def test_settling_runs_this_instant_and_not_the_next(loop):
    """What is ready and what is due now runs, whatever that makes ready too; a later timer stays."""
    ran: list[str] = []
    loop.call_soon(lambda: loop.call_later(0, ran.append, "now"))
    loop.call_later(1, ran.append, "later")
    loop.settle()
    assert (ran, loop.time(), loop.busy) == (["now"], START_S, False)


def test_settling_gives_up_on_a_spinning_callback(loop):
    """A callback that reschedules itself for ever does not hang it."""

    def again() -> None:
        loop.call_soon(again)

    again()
    loop.settle()
    assert loop.busy


def test_a_loop_prints_what_it_is_doing():
    """Time, queues and steps are in its repr."""
    loop = SimLoop(start_s=5.0)
    loop.call_later(1, print)
    assert repr(loop) == "<SimLoop at 5.0 s, 0 ready, 1 timers, 0 steps, running=False closed=False>"
    loop.close()
    assert "0 timers" in repr(loop)
