"""A deadline that moves with every wait, and a timer that seldom does. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from pointsman.transports.wire.alarm import READ_FIRST_S, STOOD_STILL_S, Alarm


class World:
    """An alarm and when it rang."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.start = self.loop.time()
        self.rang: list[float] = []
        self.alarm = Alarm(self.loop, lambda: self.rang.append(self.now))

    @property
    def now(self) -> float:
        return round(self.loop.time() - self.start, 6)

    def wait_until(self, seconds: float) -> None:
        self.alarm.until = self.start + seconds
        self.alarm.watch()


async def test_it_rings_at_its_deadline() -> None:
    """Once."""
    world = World()
    world.wait_until(5.0)
    await asyncio.sleep(20.0)
    assert world.rang == [5.0]


async def test_a_deadline_that_moves_ahead_does_not_move_the_timer() -> None:
    """It is looked at again when the timer goes off, and rings at the last one."""
    world = World()
    world.wait_until(5.0)
    first = world.alarm._timer
    for later in (6.0, 7.0, 12.0):
        world.wait_until(later)
    assert world.alarm._timer is first
    await asyncio.sleep(20.0)
    assert world.rang == [12.0]


async def test_a_deadline_that_moves_nearer_moves_the_timer() -> None:
    """A long wait for the first byte is followed by short ones."""
    world = World()
    world.wait_until(300.0)
    world.wait_until(2.0)
    await asyncio.sleep(1000.0)
    assert world.rang == [2.0]


async def test_a_deadline_that_has_passed_rings_at_once() -> None:
    """At the next turn of the loop."""
    world = World()
    await asyncio.sleep(10.0)
    world.wait_until(3.0)
    await asyncio.sleep(0.001)
    assert world.rang == [10.0]


async def test_no_deadline_costs_no_timer() -> None:
    """Nor does one that was taken back ring."""
    world = World()
    world.alarm.watch()
    assert world.alarm._timer is None
    world.wait_until(5.0)
    world.alarm.until = inf
    await asyncio.sleep(20.0)
    assert world.rang == []
    world.wait_until(25.0)
    await asyncio.sleep(20.0)
    assert world.rang == [25.0]


async def test_a_stopped_alarm_does_not_ring() -> None:
    """It can be set again."""
    world = World()
    world.wait_until(5.0)
    world.alarm.stop()
    world.alarm.stop()
    await asyncio.sleep(10.0)
    assert world.rang == []
    world.wait_until(15.0)
    await asyncio.sleep(10.0)
    assert world.rang == [15.0]


async def test_an_alarm_that_has_ended_lets_go_of_its_owner() -> None:
    """And is never told again."""
    world = World()
    world.wait_until(5.0)
    world.alarm.end()
    assert world.alarm._timer is None
    world.wait_until(6.0)
    await asyncio.sleep(10.0)
    assert world.rang == []


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8))
async def test_it_rings_exactly_where_a_wait_outlasts_its_bound(waits: list[tuple[int, int]]) -> None:
    """The model: of waits one after the other, the first that takes longer than its bound rings, at its bound."""
    world = World()
    expected = None
    for takes_s, bound_s in waits:
        began = world.loop.time() - world.start
        world.wait_until(began + bound_s + 0.5)
        if takes_s > bound_s:
            expected = began + bound_s + 0.5
            break
        await asyncio.sleep(takes_s)
        world.alarm.until = inf
    await asyncio.sleep(100.0)
    assert [round(when, 5) for when in world.rang] == ([] if expected is None else [round(expected, 5)])


class Stopped:
    """An event loop whose process was stopped; only what an alarm asks of it. A timer goes off when the test says."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        self.timers.append((when, call))
        return asyncio.TimerHandle(when, call, (), cast(asyncio.AbstractEventLoop, self))

    def go_off(self) -> None:
        self.timers.pop()[1]()

    def get_debug(self) -> bool:
        return False


async def test_a_process_that_stood_still_reads_before_it_complains() -> None:
    """Once all streams were given up after SIGCONT: a loop may go to its timers before it looks at its sockets, where
    the bytes lay that had come in time.
    """
    loop = Stopped()
    rang: list[float] = []
    alarm = Alarm(cast(asyncio.AbstractEventLoop, loop), lambda: rang.append(loop.now))
    alarm.until = 2.0
    alarm.watch()
    loop.now = 5.0
    loop.go_off()
    assert rang == []
    assert loop.timers[0][0] == 5.0 + READ_FIRST_S
    loop.now = 5.0 + READ_FIRST_S
    loop.go_off()
    assert rang == [5.0 + READ_FIRST_S]


async def test_a_timer_that_is_a_little_late_rings() -> None:
    """A busy loop is no reason to wait longer."""
    loop = Stopped()
    rang: list[float] = []
    alarm = Alarm(cast(asyncio.AbstractEventLoop, loop), lambda: rang.append(loop.now))
    alarm.until = 2.0
    alarm.watch()
    loop.now = 2.0 + STOOD_STILL_S
    loop.go_off()
    assert rang == [loop.now]
