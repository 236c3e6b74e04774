import asyncio
import os
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pointsman.testing
from pointsman.sim import Deadlock, run
from pointsman.testing import FakeClock


def test_time_moves_only_when_advanced():
    """Monotonic and wall time move together, by exactly what was asked."""
    clock = FakeClock()
    assert clock.monotonic() == 1_000_000
    assert clock.wall() == 1_767_225_600
    clock.advance(2.5)
    assert clock.monotonic() == 1_000_002.5
    assert clock.wall() == 1_767_225_602.5


def test_time_never_goes_back():
    """Negative, endless and not-a-number steps are refused and change nothing."""
    clock = FakeClock(start_s=5.0)
    for delta_s in (-1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match=">= 0"):
            clock.advance(delta_s)
    assert clock.monotonic() == 5.0


def test_the_wall_clock_jumps_alone():
    """A shift leaves monotonic time where it was."""
    clock = FakeClock(start_s=5.0, epoch_s=100.0)
    clock.shift_wall(-50)
    assert (clock.monotonic(), clock.wall()) == (5.0, 55.0)
    with pytest.raises(ValueError, match="finite"):
        clock.shift_wall(float("nan"))


async def test_a_sleeper_wakes_when_its_instant_is_reached_and_not_before():
    """Just short of it nothing happens; the test sees who sleeps."""
    clock = FakeClock()
    sleeper = asyncio.create_task(clock.sleep(10))
    await asyncio.sleep(0)
    assert clock.sleepers == 1
    clock.advance(9.999)
    await asyncio.sleep(1)
    assert not sleeper.done()
    clock.advance(0.001)
    assert clock.sleepers == 0
    await sleeper


@given(st.lists(st.integers(0, 5), max_size=12))
async def test_sleepers_wake_earliest_first_then_in_order_of_arrival(delays_s):
    """A stable sort by instant predicts the order."""
    clock, woke = FakeClock(), []

    async def sleep(number: int, delay_s: int) -> None:
        await clock.sleep(delay_s + 1)
        woke.append(number)

    tasks = [asyncio.create_task(sleep(n, delay_s)) for n, delay_s in enumerate(delays_s)]
    await asyncio.sleep(0)
    clock.advance(10)
    await asyncio.sleep(0.1)
    assert woke == sorted(range(len(delays_s)), key=delays_s.__getitem__)
    assert all(task.done() for task in tasks)


async def test_a_loop_of_sleeps_takes_a_step_for_each_advance():
    """A periodic task runs once per period that the test lets pass."""
    clock, ticks = FakeClock(), []

    async def tick() -> None:
        while True:
            await clock.sleep(1)
            ticks.append(clock.monotonic() - 1_000_000)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0.1)
    for _ in range(3):
        clock.advance(1)
        await asyncio.sleep(0.1)
    ticking.cancel()
    assert ticks == [1, 2, 3]


async def test_an_instant_already_reached_lets_the_others_run():
    """It does not wait for an advance, and cannot starve the rest."""
    clock = FakeClock()
    ran: list[str] = []
    asyncio.get_running_loop().call_soon(ran.append, "other")
    await clock.sleep_until(clock.monotonic())
    assert ran == ["other"]


async def test_a_cancelled_sleeper_is_forgotten():
    """Neither before its instant, nor between its waking and its turn, does it leave anything behind."""
    clock = FakeClock()
    early, late = asyncio.create_task(clock.sleep(10)), asyncio.create_task(clock.sleep(10))
    await asyncio.sleep(0)
    early.cancel()
    await asyncio.wait([early])
    assert clock.sleepers == 1
    clock.advance(10)
    late.cancel()
    await asyncio.wait([early, late])
    assert early.cancelled()
    assert late.cancelled()
    assert clock.sleepers == 0


def test_a_clock_that_nobody_advances_is_a_deadlock_in_a_simulation():
    """The error points at the sleep."""
    clock = FakeClock()
    with pytest.raises(Deadlock, match=r"FakeClock\.sleep_until"):
        run(lambda: clock.sleep(1))


@pytest.mark.real_loop(timeout_s=10)
async def test_another_thread_may_advance_it():
    """So it serves code whose event loop lives in a thread of its own (debug mode refuses unsafe calls)."""
    asyncio.get_running_loop().set_debug(True)
    clock = FakeClock()
    sleeper = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)
    thread = threading.Thread(target=clock.advance, args=(5,))
    thread.start()
    await sleeper
    thread.join()
    assert clock.monotonic() == 1_000_005


def test_the_package_names_what_it_has():
    """Each listed name loads; a wrong one is answered with the right ones."""
    for name in dir(pointsman.testing):
        assert getattr(pointsman.testing, name) is not None
    with pytest.raises(AttributeError, match="it has FakeClock"):
        pointsman.testing.RealClock  # noqa: B018


def test_importing_the_package_loads_nothing_heavy():
    """A user's test pays for what it uses: neither pytest nor the simulation come with the package itself."""
    code = "import sys, pointsman.testing; print({'pytest', 'hypothesis', 'pointsman.sim'} & {*sys.modules})"
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    shown = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"
