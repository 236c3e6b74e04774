"""One decision on trial: how long it holds the event loop, when it has taken too long, and its failure as a value.

What is tried out may raise anything, and must cost neither the traffic nor the account of what was tried: one of the
files with a broad except. A decision that computes without a pause cannot be broken off, only found out afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Generic, NamedTuple, TypeVar

from pointsman.ports import Clock

T = TypeVar("T")


class Trial(NamedTuple, Generic[T]):
    """What came of it.

    Attributes:
        value: what was decided; None where it failed.
        fault: what it raised, or None.
        timed_out: it took longer than it may; value and fault do not count then.
        held_s: for how long it held the event loop, seconds.
        longest_s: for how long in one piece.
    """

    value: T | None
    fault: BaseException | None
    timed_out: bool
    held_s: float
    longest_s: float


class _Stopwatch(Generic[T]):
    """Awaits something, and measures each piece of it that runs between two pauses."""

    def __init__(self, of: Callable[[], Awaitable[T]], now: Callable[[], float]) -> None:
        self._of = of
        self._now = now
        self.held_s = self.longest_s = 0.0

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self._of().__await__()
        thrown: BaseException | None = None
        while True:
            began = self._now()
            try:
                waits_for = next(steps) if thrown is None else steps.throw(thrown)
            except StopIteration as end:
                value: T = end.value
                return value
            finally:
                piece_s = self._now() - began
                self.held_s += piece_s
                self.longest_s = max(self.longest_s, piece_s)
            thrown = None
            try:
                yield waits_for
            except BaseException as error:  # noqa: BLE001  # passed on to what is awaited, a cancellation too
                thrown = error


async def try_out(work: Callable[[], Awaitable[T]], timeout_s: float, clock: Clock) -> Trial[T]:
    """Await `work` for at most `timeout_s` seconds; raises nothing but the cancellation of whoever calls."""
    value: T | None = None
    fault: BaseException | None = None
    watch = _Stopwatch(work, clock.monotonic)
    scope = asyncio.timeout(timeout_s)
    began = clock.monotonic()
    try:
        async with scope:
            value = await watch
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        fault = error
    except Exception as error:  # noqa: BLE001  # what is on trial may raise anything
        fault = error
    timed_out = scope.expired() or clock.monotonic() - began > timeout_s
    return Trial(value, fault, timed_out, watch.held_s, watch.longest_s)
