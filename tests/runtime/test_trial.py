"""One decision on trial."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.runtime.trial import try_out
from tests.runtime.looking_on import BusyClock


async def test_what_is_decided_comes_with_the_time_it_held_the_loop() -> None:
    """Computing counts, waiting does not, and the longest piece is known."""
    clock = BusyClock()

    async def work() -> str:
        clock.compute(0.002)
        await clock.sleep(0.010)
        clock.compute(0.005)
        await clock.sleep(0.010)
        return "decided"

    trial = await try_out(work, 1.0, clock)
    assert (trial.value, trial.fault, trial.timed_out) == ("decided", None, False)
    assert trial.held_s == pytest.approx(0.007)
    assert trial.longest_s == pytest.approx(0.005)


async def test_what_hangs_is_broken_off_in_time() -> None:
    """At the time-out what waits is cancelled, and gets to clean up."""
    clock, cleaned = BusyClock(), []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(clock.monotonic())

    began = clock.monotonic()
    trial = await try_out(work, 0.5, clock)
    assert trial.timed_out
    assert cleaned == [began + 0.5]


async def test_what_ignores_its_cancellation_has_timed_out_all_the_same() -> None:
    """A decision that comes late is none."""
    clock = BusyClock()

    async def work() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "late"
        return ""

    assert (await try_out(work, 0.5, clock)).timed_out


async def test_what_computes_for_too_long_is_found_out_afterwards() -> None:
    """It cannot be broken off, but its decision does not count."""
    clock = BusyClock()

    async def work() -> str:
        clock.compute(0.06)
        return "late"

    trial = await try_out(work, 0.05, clock)
    assert trial.timed_out
    assert trial.held_s == pytest.approx(0.06)


@pytest.mark.parametrize("fault", [ValueError("no"), TimeoutError("own"), StopAsyncIteration(), KeyError()])
async def test_a_fault_is_a_value(fault: Exception) -> None:
    """Whatever is raised, at once or after a wait; a time-out of its own is not ours."""
    clock = BusyClock()

    async def at_once() -> None:
        raise fault

    async def later() -> None:
        await clock.sleep(0.001)
        raise fault

    def before_anything() -> asyncio.Future[None]:
        raise fault

    for work in (at_once, later, before_anything):
        trial = await try_out(work, 1.0, clock)
        assert trial.fault is fault
        assert not trial.timed_out


async def test_a_cancellation_that_it_makes_up_is_a_fault() -> None:
    """Only whoever calls may cancel."""
    clock = BusyClock()

    async def work() -> None:
        raise asyncio.CancelledError

    assert isinstance((await try_out(work, 1.0, clock)).fault, asyncio.CancelledError)


async def test_the_callers_cancellation_passes_through() -> None:
    """And reaches what is being tried."""
    clock, cleaned = BusyClock(), []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    task = asyncio.get_running_loop().create_task(try_out(work, 10.0, clock))
    await clock.sleep(1.0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == [True]
