"""Cancels tasks that run past their deadline: one timer for all of them instead of one for each.

Nearly every deadline is dropped long before it comes, so what must be cheap is setting and dropping. Deadlines stand in
a heap; a dropped one stays there until it is met or until most of the heap is such, and then goes with the others.
"""

from __future__ import annotations

import asyncio
import heapq
from typing import Any

from pointsman.ports import Clock

_FEW = 256


class Deadline:
    """One task's deadline.

    Attributes:
        came: the task was cancelled because its time was over.
    """

    __slots__ = ("_before", "came", "task")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task: asyncio.Task[Any] | None = task
        self.came = False
        self._before = task.cancelling()

    def is_why(self, task: asyncio.Task[Any]) -> bool:
        """Take the cancellation back and return True, if the deadline alone is why the task was cancelled."""
        return self.came and task.uncancel() <= self._before


class Deadlines:
    """Deadlines of one event loop.

    Args:
        clock: time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Deadline]] = []
        self._set = 0
        self._live = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = float("inf")

    def set(self, at: float, task: asyncio.Task[Any]) -> Deadline:
        """Cancel `task` at monotonic `at`, unless the deadline is dropped before."""
        deadline = Deadline(task)
        self._set += 1
        self._live += 1
        heapq.heappush(self._heap, (at, self._set, deadline))
        if at < self._timer_at:
            self._arm(at)
        return deadline

    def drop(self, deadline: Deadline) -> None:
        """The task got there in time, or was cancelled by it; dropping twice does nothing."""
        if deadline.task is None:
            return
        deadline.task = None
        self._live -= 1
        if len(self._heap) > 2 * self._live + _FEW:
            self._heap = [entry for entry in self._heap if entry[2].task is not None]
            heapq.heapify(self._heap)

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        delay_s = max(0.0, at - self._clock.monotonic())
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._ring)

    def _ring(self) -> None:
        self._timer, self._timer_at = None, float("inf")
        now = self._clock.monotonic()
        heap = self._heap
        while heap and (heap[0][2].task is None or heap[0][0] <= now):
            deadline = heapq.heappop(heap)[2]
            if deadline.task is not None:
                deadline.came = True
                deadline.task.cancel()
        if heap:
            self._arm(heap[0][0])

    def close(self) -> None:
        """Ring no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._heap.clear()

    def __len__(self) -> int:
        """Deadlines that may still come."""
        return self._live
