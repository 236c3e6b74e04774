"""A virtual-time event loop: a day of a fleet's life in milliseconds, the same each time, and never a hang.

Decides what runs next and what time it is. Time stands still while anything is ready; then it jumps to the
next timer. Ready callbacks run first in, first out; timers by (instant, order of creation). Where a real loop
would wait for ever this one raises `Deadlock`; where it would spin for ever, `StepLimit` or `TimeLimit`.
No sockets, no threads, no `select`.

Equal programs run equally as long as they take randomness from a seed and do not iterate over sets of strings
(their order changes from process to process unless PYTHONHASHSEED is set).

Sources: trio's `MockClock` with autojump (the jump); TigerBeetle's TIGER_STYLE (a limit on everything).
It rests on internals of `asyncio.BaseEventLoop` that are the same in CPython 3.11 to 3.13: `_run_once`,
`_ready`, `_stopping`, and the count of cancelled timers that `TimerHandle.cancel` keeps through `_scheduled`.
"""

# A loop is the other half of asyncio's handles, so it looks inside them.
# ruff: noqa: SLF001

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context
from heapq import heapify, heappop, heappush
from typing import Any, NoReturn, TypeVar, TypeVarTuple

from pointsman.sim.errors import Deadlock, NotSimulated, StepLimit, TimeLimit
from pointsman.sim.real_world import RealWorldRefused
from pointsman.sim.waiting import describe_tasks

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# Not 0, so that code which takes 0 for "unset" is caught.
START_S = 1_000_000.0
# Longer than the longest time to live of a message (30 days), so that no legal wait meets the bound.
MAX_TIME_S = 40 * 86_400.0
# A message costs about 50 callbacks: room for 400,000 messages, and a spinning task is caught within a minute.
MAX_STEPS = 20_000_000
SETTLE_ROUNDS_MAX = 1_000
# Below this, dropping cancelled timers costs more than keeping them.
CANCELLED_TIMERS_KEPT = 100


class SimLoop(RealWorldRefused, asyncio.BaseEventLoop):
    """An asyncio event loop in virtual time; `running.run` is the usual way to use it.

    `asyncio.timeout`, events, queues, `gather`, `TaskGroup`, `shield`, `call_later` work as always. What
    would touch the world (sockets, pipes, signals, subprocesses, name look-ups) raises `NotSimulated`.
    `run_in_executor`, and with it `asyncio.to_thread`, runs the function inline, taking no virtual time.

    Args:
        start_s: virtual time at the start, seconds.
        max_time_s: virtual seconds the loop may live; infinity for no bound.
        max_steps: callbacks the loop may run.

    Attributes:
        start_s: as given.
        steps: callbacks run so far.

    Raises:
        ValueError: a bound that is not positive, or a start that is not finite.
    """

    # Until __init__ has done its work: the base class asks for it even when a refused loop is thrown away.
    _closed = True
    _ready: deque[asyncio.Handle]
    _stopping: bool
    _debug: bool
    _timer_cancelled_count: int
    _check_closed: Callable[[], None]
    _check_thread: Callable[[], None]
    _check_callback: Callable[[Any, str], None]

    def __init__(self, *, start_s: float = START_S, max_time_s: float = MAX_TIME_S, max_steps: int = MAX_STEPS) -> None:
        if not math.isfinite(start_s):
            raise ValueError(f"start_s must be a finite number of seconds, got {start_s!r}")
        _check_bounds(max_time_s, max_steps)
        super().__init__()
        self.start_s = start_s
        self.steps = 0
        self._now_s = start_s
        self._end_s = start_s + max_time_s
        self._max_steps = max_steps
        self._steps_at_jump = 0
        self._timers: list[tuple[float, int, _Timer]] = []
        self._timers_made = 0
        self._tasks_made = 0
        self._home_thread = threading.get_ident()

    def __repr__(self) -> str:
        return (
            f"<SimLoop at {self._now_s!r} s, {len(self._ready)} ready, {len(self._timers)} timers, "
            f"{self.steps} steps, running={self.is_running()} closed={self.is_closed()}>"
        )

    def time(self) -> float:
        """Virtual time, seconds."""
        return self._now_s

    @property
    def busy(self) -> bool:
        """Something can still run at this instant, without time moving."""
        return bool(self._ready) or bool(self._timers and self._timers[0][0] <= self._now_s)

    def pending_tasks(self) -> list[asyncio.Task[Any]]:
        """The unfinished tasks, oldest first (`asyncio.all_tasks` is a set, whose order is arbitrary)."""
        return sorted(asyncio.all_tasks(self), key=lambda task: getattr(task, "_sim_number", 0))

    def allow(self, *, time_s: float, steps: int) -> None:
        """Set the bounds anew, counted from now.

        Args:
            time_s: virtual seconds, > 0; infinity for no bound.
            steps: callbacks, > 0.

        Raises:
            ValueError: a bound that is not positive.
        """
        _check_bounds(time_s, steps)
        self._end_s = self._now_s + time_s
        self._max_steps = self.steps + steps

    def settle(self) -> None:
        """Run what can run at this instant, without moving time. The loop must not be running.

        Gives up after 1,000 rounds, so that a task which spins does not hang it.
        """

        def stop_when_idle(rounds_left: int) -> None:
            if self.busy and rounds_left:
                self.call_soon(stop_when_idle, rounds_left - 1)
            else:
                self.stop()

        self.call_soon(stop_when_idle, SETTLE_ROUNDS_MAX)
        self.run_forever()

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run a callback at a virtual instant; infinity means never, and does not count as a timer.

        Raises:
            ValueError: `when` is not a number (NaN), which would destroy the order of all timers.
        """
        self._check_closed()
        if self._debug:
            self._check_thread()
            self._check_callback(callback, "call_at")
        timer = _Timer(when, callback, args, self, context)
        if when < math.inf:
            self._timers_made += 1
            heappush(self._timers, (when, self._timers_made, timer))
            timer._scheduled = True
        elif math.isnan(when):
            raise ValueError("a timer needs an instant in seconds, got NaN")
        return timer

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As `call_soon`, from the thread that made the loop; from any other it raises `NotSimulated`."""
        if threading.get_ident() != self._home_thread:
            raise NotSimulated("call_soon_threadsafe() was called from another thread")
        return self.call_soon(callback, *args, context=context)

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """As always; unnamed tasks are numbered per loop, so that names repeat from run to run."""
        self._tasks_made += 1
        if options.get("name") is None:
            options["name"] = f"task-{self._tasks_made}"
        task = super().create_task(coro, **options)
        task._sim_number = self._tasks_made  # type: ignore[attr-defined]
        return task

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Run `func` inline at this instant, in a task of its own, whatever the executor.

        Trap: if `func` blocks, everything stands still, and no bound notices.
        """

        async def inline() -> T:
            return func(*args)

        return self.create_task(inline(), name=f"executor: {getattr(func, '__qualname__', func)}")

    def close(self) -> None:
        """Close the loop and forget what was scheduled."""
        super().close()
        self._timers.clear()

    def _run_once(self) -> None:
        """One round: what is ready now and no more, after a jump in time if nothing was."""
        ready, timers = self._ready, self._timers
        if not ready and not self._stopping:
            self._jump()
        now_s = self._now_s
        while timers and timers[0][0] <= now_s:
            timer = heappop(timers)[2]
            if timer._cancelled:
                self._timer_cancelled_count -= 1
            else:
                timer._scheduled = False
                ready.append(timer)
        count = len(ready)
        self.steps += count
        if self.steps > self._max_steps:
            self._give_up_spinning()
        for _ in range(count):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()
        # A failed task's traceback may keep this frame alive; it must not keep the task, or its error goes unseen.
        timer = handle = None  # type: ignore[assignment]

    def _jump(self) -> None:
        """Move time to the next timer that is not cancelled."""
        timers = self._timers
        if self._timer_cancelled_count > max(CANCELLED_TIMERS_KEPT, len(timers) // 2):
            timers[:] = [entry for entry in timers if not entry[2]._cancelled]
            heapify(timers)
            self._timer_cancelled_count = 0
        while timers and timers[0][2]._cancelled:
            heappop(timers)
            self._timer_cancelled_count -= 1
        if not timers:
            raise Deadlock(
                f"nothing can happen any more {self._age()}: no callback is ready and no timer is set, "
                f"yet these tasks wait:{describe_tasks(self.pending_tasks())}\n"
                "Find what should have woken them (event, queue, lock, future), or wait with a time-out."
            )
        when_s = timers[0][0]
        if when_s > self._end_s:
            raise TimeLimit(
                f"not finished {self._age()}: the next timer, at {when_s!r} s, lies beyond max_time_s. "
                f"Pending tasks:{describe_tasks(self.pending_tasks())}\n"
                "Either a periodic task keeps alive what is really a deadlock, or max_time_s is too small."
            )
        if when_s > self._now_s:
            self._now_s = when_s
            self._steps_at_jump = self.steps

    def _give_up_spinning(self) -> NoReturn:
        raise StepLimit(
            f"max_steps is used up {self._age()}: {self.steps:,} callbacks, the last "
            f"{self.steps - self._steps_at_jump:,} of them at one instant. "
            f"Pending tasks:{describe_tasks(self.pending_tasks())}\n"
            "Either a task spins without waiting for anything, or max_steps is too small."
        )

    def _age(self) -> str:
        return f"at virtual time {self._now_s!r} s ({self._now_s - self.start_s:g} s after the start)"


class _Timer(asyncio.TimerHandle):
    """The slot is asyncio's own, undeclared in its type stubs; `cancel` counts a timer only while set."""

    __slots__ = ()
    _scheduled: bool


def _check_bounds(time_s: float, steps: int) -> None:
    if not time_s > 0 or not steps > 0:
        raise ValueError(f"the bounds of a SimLoop must be > 0, got {time_s!r} s and {steps!r} steps")
