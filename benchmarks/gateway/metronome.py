"""Calls things at exact times. Event loops count in milliseconds; paced streams and open-loop arrivals need better.

While something is due within the next milliseconds, the loop is kept turning without sleeping: sockets are looked at in
each turn as always, and what is due is called to a few microseconds. That costs the core it runs on, which the gateway
under test does not use.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from time import perf_counter
from typing import Final

_SPIN_S: Final = 0.003
# Longer waits are left to the loop, whose timers are late by one millisecond at most.


class Metronome:
    """A heap of calls by time, on `perf_counter`'s clock."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._turning = False
        self._timer: asyncio.TimerHandle | None = None

    @staticmethod
    def now() -> float:
        """Return the time, seconds on `perf_counter`'s clock."""
        return perf_counter()

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Call `call` at `when`; at once (in the next turn) where that has passed."""
        heapq.heappush(self._due, (when, next(self._order), call))
        if not self._turning:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        due = self._due
        while due and due[0][0] <= perf_counter():
            heapq.heappop(due)[2]()
        loop = asyncio.get_running_loop()
        left_s = due[0][0] - perf_counter() if due else None
        if left_s is not None and left_s < _SPIN_S:
            loop.call_soon(self._turn)
            return
        self._turning = False
        if left_s is not None:
            self._timer = loop.call_later(left_s - _SPIN_S / 2, self._wake)

    def _wake(self) -> None:
        self._timer = None
        if not self._turning:
            self._turning = True
            self._turn()
