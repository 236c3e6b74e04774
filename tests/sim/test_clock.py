import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.sim import Deadlock, SimClock, SimLoop, run

NEW_YEAR_2026_S = 1_767_225_600.0


async def test_monotonic_time_is_the_loop_s():
    """Both read the same number at every instant."""
    clock, loop = SimClock(), asyncio.get_running_loop()
    await clock.sleep(12.5)
    assert clock.monotonic() == loop.time() == 1_000_012.5


async def test_the_wall_clock_shows_a_fixed_date_and_moves_with_time():
    """Each simulation begins with 2026, so that stored instants repeat from run to run."""
    clock = SimClock()
    assert clock.wall() == NEW_YEAR_2026_S
    await clock.sleep(3)
    assert clock.wall() == NEW_YEAR_2026_S + 3


async def test_the_wall_clock_jumps_alone():
    """A shift moves neither monotonic time nor other clocks, and wakes nobody."""
    clock, other = SimClock(), SimClock()
    sleeper = asyncio.create_task(clock.sleep(10))
    await clock.sleep(1)
    clock.shift_wall(-3_600)
    await clock.sleep(0)
    assert not sleeper.done()
    assert clock.wall() == NEW_YEAR_2026_S + 1 - 3_600
    assert other.wall() == NEW_YEAR_2026_S + 1
    assert clock.monotonic() == 1_000_001
    with pytest.raises(ValueError, match="finite"):
        clock.shift_wall(float("inf"))
    await sleeper


@given(st.floats(min_value=1e-9, max_value=1e6, allow_nan=False))
async def test_sleeping_until_an_instant_ends_exactly_there(ahead_s):
    """No rounding: a decision that asks for an instant sees that instant reached."""
    clock = SimClock()
    when_s = clock.monotonic() + ahead_s
    await clock.sleep_until(when_s)
    assert clock.monotonic() == when_s


@pytest.mark.parametrize("delay_s", [0.0, -5.0])
async def test_an_instant_already_reached_lets_the_others_run(delay_s):
    """A loop of such sleeps cannot starve the rest."""
    clock = SimClock()
    ran: list[str] = []
    asyncio.get_running_loop().call_soon(ran.append, "other")
    await clock.sleep(delay_s)
    assert ran == ["other"]
    assert clock.monotonic() == 1_000_000


def test_sleeping_for_ever_is_a_deadlock():
    """Infinity means never."""

    async def main() -> None:
        await SimClock().sleep_until(float("inf"))

    with pytest.raises(Deadlock, match=r"SimClock\.sleep_until"):
        run(main)


async def test_a_cancelled_sleeper_leaves_no_timer():
    """Nothing of it runs at its instant."""
    clock, loop = SimClock(), asyncio.get_running_loop()
    assert isinstance(loop, SimLoop)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await clock.sleep(60)
    assert all(timer.cancelled() for _, _, timer in loop._timers)


async def test_a_sleeper_cancelled_at_its_very_instant_is_cancelled():
    """The wake-up that was already on its way does no harm."""
    clock, loop = SimClock(), asyncio.get_running_loop()
    sleeper = asyncio.create_task(clock.sleep_until(1_000_001))
    await asyncio.sleep(0)
    loop.call_at(1_000_000.5, lambda: loop.call_at(1_000_001, lambda: None))
    early = loop.call_at(1_000_001, sleeper.cancel)
    await asyncio.wait([sleeper])
    assert early.cancelled() is False
    assert sleeper.cancelled()


def test_outside_a_simulation_a_loop_must_be_given():
    """A clock without a loop has no time to show."""
    with pytest.raises(RuntimeError):
        SimClock()
    loop = SimLoop(start_s=7.0)
    assert SimClock(loop, epoch_s=100.0).wall() == 107.0
    loop.close()
