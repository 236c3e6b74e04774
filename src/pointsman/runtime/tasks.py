"""The one place that starts tasks, so that none is lost, none fails unseen and all end with the router.

A supervised loop that fails by a bug of ours is reported and started again after a pause; the pause doubles up to a
bound, so a fault that stays cannot spin. This is one of the four files with a broad except.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from pointsman.ports import Clock

log = logging.getLogger("pointsman.runtime")

_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 5.0


class Tasks:
    """Tasks of one router."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # In the order of their start, and not by address as in a set: equal runs end in equal ways.
        self._running: dict[asyncio.Task[Any], Callable[[], None] | None] = {}
        self._loops: dict[str, asyncio.Task[None]] = {}

    def spawn(
        self, work: Coroutine[Any, Any, None], name: str, on_end: Callable[[], None] | None = None
    ) -> asyncio.Task[None]:
        """Start `work`; a failure of it is logged with its traceback.

        Args:
            work: what runs.
            name: for the log.
            on_end: called when it has ended, however it ended, even if it was cancelled before its first step.
        """
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running[task] = on_end
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        on_end = self._running.pop(task, None)
        if on_end is not None:
            on_end()
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("task %s failed: a bug in Pointsman, please report it", task.get_name(), exc_info=fault)

    def supervise(self, loop: Callable[[], Awaitable[None]], name: str) -> asyncio.Task[None]:
        """Run `loop` for ever, again whenever it fails."""
        task = self._loops[name] = self.spawn(self._again(loop, name), name)
        return task

    def runs(self, name: str) -> bool:
        """Whether a supervised loop of this name runs, or pauses after a failure."""
        return name in self._loops and not self._loops[name].done()

    async def _again(self, loop: Callable[[], Awaitable[None]], name: str) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                await loop()
                return
            except Exception:
                log.exception("%s failed: a bug in Pointsman, please report it; again in %.2f s", name, pause_s)
            await self._clock.sleep_until(self._clock.monotonic() + pause_s)
            pause_s = min(pause_s * 2.0, _LONGEST_PAUSE_S)

    async def close(self) -> None:
        """Cancel what still runs and wait for it, and for what it starts while it ends."""
        while running := [task for task in self._running if task is not asyncio.current_task()]:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def __len__(self) -> int:
        """Tasks that run."""
        return len(self._running)


class BriefTasks:
    """Tasks that start thousands of times a second, where each turn of the event loop counts.

    One that ends well costs no callback; only one that does not gets one, by which its failure is seen without an
    `except`.

    Args:
        name: of each task.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._running: set[asyncio.Task[Any]] = set()

    def start(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Coroutine[Any, Any, None],
        on_end: Callable[[BaseException | None], None],
    ) -> asyncio.Task[None]:
        """Start `work`; returns its task, which takes its first step later.

        Args:
            loop: the event loop that runs.
            work: what runs.
            on_end: called once, with what `work` raised, a cancellation included, or None; it must not raise.
        """
        itself: list[asyncio.Task[None]] = []
        task = loop.create_task(self._carry(work, on_end, itself), name=self._name)
        # Told instead of asked: finding out which task runs is a system call on Python 3.11.
        itself.append(task)
        self._running.add(task)
        return task

    async def _carry(
        self,
        work: Coroutine[Any, Any, None],
        on_end: Callable[[BaseException | None], None],
        itself: list[asyncio.Task[None]],
    ) -> None:
        (task,) = itself
        ended = False
        try:
            await work
            ended = True
        finally:
            self._running.discard(task)
            if ended:
                on_end(None)
            else:
                task.add_done_callback(lambda task: on_end(_why(task)))

    async def end(self, patience_s: float) -> int:
        """Wait until all have ended; cancel those that run longer, and return how many those were."""
        if not self._running:
            return 0
        _, late = await asyncio.wait(set(self._running), timeout=patience_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        return len(late)

    def __len__(self) -> int:
        """Tasks that run."""
        return len(self._running)


def _why(task: asyncio.Task[Any]) -> BaseException | None:
    return asyncio.CancelledError() if task.cancelled() else task.exception()
