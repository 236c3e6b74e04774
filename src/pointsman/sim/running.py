"""Run one coroutine in virtual time from a clean start to a clean end, as `asyncio.run` does in real time.

Decides what counts as a clean end: no task left behind, no error that reached nobody.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from pointsman.sim.errors import LeakedTasks, StrayErrors
from pointsman.sim.loop import MAX_STEPS, MAX_TIME_S, START_S, SimLoop
from pointsman.sim.waiting import describe_tasks

T = TypeVar("T")
Main = Coroutine[Any, Any, T] | Callable[[], Coroutine[Any, Any, T]]
Stray = tuple[str, BaseException | None]

# What is left for tasks that clean up after being cancelled.
CLEANUP_TIME_S = 3_600.0
CLEANUP_STEPS = 1_000_000


def run(
    main: Main[T],
    *,
    start_s: float = START_S,
    max_time_s: float = MAX_TIME_S,
    max_steps: int = MAX_STEPS,
    debug: bool = False,
    allow_leaks: bool = False,
) -> T:
    """Run a coroutine to its end in a new SimLoop, cancel what is left, close the loop.

    Tasks that can end at the very instant the main task ends get to do so; the others are leaks.

    Args:
        main: a coroutine, or a function without arguments that makes one.
        start_s: virtual time at the start, seconds.
        max_time_s: virtual seconds the run may last (default 40 days).
        max_steps: callbacks the run may take (default 20,000,000).
        debug: asyncio's debug mode; slows the run about tenfold.
        allow_leaks: cancel tasks left behind without complaint.

    Returns:
        What the coroutine returned.

    Raises:
        Deadlock: every task waits for something that cannot come; the message says where each waits.
        TimeLimit, StepLimit: a bound was reached.
        LeakedTasks: the coroutine succeeded, but tasks it started are still waiting.
        StrayErrors: the coroutine succeeded, but a callback or an unread task failed.
        RuntimeError: an event loop is already running in this thread.
        TypeError: `main` is neither a coroutine nor a function that makes one.
        Whatever the coroutine raises; errors of its leftovers are then only logged.
    """
    _check_not_nested()
    loop = SimLoop(start_s=start_s, max_time_s=max_time_s, max_steps=max_steps)
    loop.set_debug(debug)
    strays = collect_strays(loop)
    try:
        result: T = loop.run_until_complete(loop.create_task(_coroutine(main), name="main"))
        loop.settle()
        leaked = loop.pending_tasks()
        leaks = f"{len(leaked)} tasks were left behind:{describe_tasks(leaked)}"
    finally:
        try:
            _end_tasks(loop)
        finally:
            loop.close()
    if leaked and not allow_leaks:
        raise LeakedTasks(f"{leaks}\nCancel and await them before the main task ends.")
    raise_strays(strays)
    return result


def collect_strays(loop: asyncio.AbstractEventLoop) -> list[Stray]:
    """Make any loop keep the errors that reach nobody, besides logging them as always.

    Returns:
        A list of (what happened, exception) that grows while the loop runs.
    """
    strays: list[Stray] = []

    def keep(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        strays.append((str(context["message"]), context.get("exception")))
        loop.default_exception_handler(context)

    loop.set_exception_handler(keep)
    return strays


def raise_strays(strays: list[Stray]) -> None:
    """Raise StrayErrors from the first of the errors collected, if there are any."""
    if strays:
        lines = "".join(f"\n  {message}: {error!r}" for message, error in strays)
        raise StrayErrors(f"{len(strays)} errors reached nobody:{lines}") from strays[0][1]


def _check_not_nested() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError("sim.run() was called inside a running event loop; await the coroutine instead")


def _coroutine(main: Main[T]) -> Coroutine[Any, Any, T]:
    coroutine = main() if callable(main) else main
    if not inspect.iscoroutine(coroutine):
        raise TypeError(f"sim.run() needs a coroutine or a function that makes one, got {coroutine!r}")
    return coroutine


def _end_tasks(loop: SimLoop) -> None:
    """Cancel until nothing is left; a task that will not end meets the bounds, or is a deadlock.

    A task already being cancelled is not cancelled again: that would break off its clean-up.
    """
    loop.allow(time_s=CLEANUP_TIME_S, steps=CLEANUP_STEPS)
    while leftovers := loop.pending_tasks():
        for task in leftovers:
            if not task.cancelling():
                task.cancel()
        loop.run_until_complete(asyncio.gather(*leftovers, return_exceptions=True))
        for task in leftovers:
            if not task.cancelled() and (error := task.exception()) is not None:
                loop.call_exception_handler(
                    {"message": f"{task.get_name()} failed on being cancelled", "exception": error}
                )
    loop.run_until_complete(loop.shutdown_asyncgens())
