"""The one file that reads time: it grows, it waits, and a wait that is over returns at once."""

from __future__ import annotations

import asyncio
import math
import time

import pytest

from pointsman.runtime.clock import SystemClock


def test_monotonic_time_never_goes_back() -> None:
    """A thousand looks, none before the one before."""
    clock = SystemClock()
    seen = [clock.monotonic() for _ in range(1000)]
    assert seen == sorted(seen)


def test_it_is_the_loops_time() -> None:
    """Timers of the event loop and our instants mean the same; otherwise a wait until an instant would be off."""
    loop = asyncio.new_event_loop()
    before, looped, after = SystemClock().monotonic(), loop.time(), SystemClock().monotonic()
    loop.close()
    assert before <= looped <= after


def test_wall_time_is_unix_time() -> None:
    """Seconds since 1970: after this was written, and before the year 2100."""
    assert 1_750_000_000.0 < SystemClock().wall() < 4_102_444_800.0


@pytest.mark.real_loop
async def test_sleeping_ends_at_the_instant_and_not_before() -> None:
    """However short, the instant has been reached when the sleeper goes on."""
    clock = SystemClock()
    for ahead_s in (0.0, 0.0001, 0.01):
        until = clock.monotonic() + ahead_s
        await clock.sleep_until(until)
        assert clock.monotonic() >= until


@pytest.mark.real_loop
async def test_an_instant_in_the_past_is_no_wait() -> None:
    """Not even one that never was."""
    await SystemClock().sleep_until(-math.inf)
    await SystemClock().sleep_until(time.monotonic() - 1.0)
