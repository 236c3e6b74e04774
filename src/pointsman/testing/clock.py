"""A clock that stands still until the test moves it: for one part alone, in any event loop, or in none.

For a whole program, where many tasks sleep and wake each other, take `run` and `SimClock` instead: there time
moves by itself, one timer after the other.

    clock = FakeClock()
    started_s = clock.monotonic()
    clock.advance(60)
    assert clock.monotonic() - started_s == 60
"""

from __future__ import annotations

import asyncio
import math
import threading

from pointsman.sim.clock import EPOCH_S, wake
from pointsman.sim.loop import START_S


class FakeClock:
    """The clock port with hands you turn yourself.

    Any thread may turn them, so it also serves code that keeps its event loop in a thread of its own.

    Args:
        start_s: what `monotonic()` says first, seconds; not 0, so that code taking 0 for "unset" is caught.
        epoch_s: unix seconds at monotonic time 0.
    """

    def __init__(self, start_s: float = START_S, *, epoch_s: float = EPOCH_S) -> None:
        self._now_s = start_s
        self._epoch_s = epoch_s
        self._sleepers: dict[asyncio.Future[None], float] = {}
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        """Seconds; moved by `advance` alone."""
        return self._now_s

    def wall(self) -> float:
        """Unix seconds; moved by `advance` and by `shift_wall`."""
        return self._epoch_s + self._now_s

    @property
    def sleepers(self) -> int:
        """How many tasks wait in `sleep_until` or `sleep`: lets a test know that a task has got that far."""
        return len(self._sleepers)

    def advance(self, delta_s: float) -> None:
        """Move time on and wake the sleepers that are due: earliest first, then in order of arrival.

        They run when their event loop next gets its turn, not inside this call, and all see the new time: to
        see each at its own instant, advance in steps.

        Args:
            delta_s: seconds, finite, >= 0.

        Raises:
            ValueError: `delta_s` is negative or not finite.
        """
        if not 0 <= delta_s < math.inf:
            raise ValueError(f"advance needs a finite number of seconds >= 0, got {delta_s!r}")
        with self._lock:
            self._now_s += delta_s
            due = [(when_s, woken) for woken, when_s in self._sleepers.items() if when_s <= self._now_s]
            for _, woken in due:
                del self._sleepers[woken]
        for _, woken in sorted(due, key=lambda sleeper: sleeper[0]):
            woken.get_loop().call_soon_threadsafe(wake, woken)

    def shift_wall(self, delta_s: float) -> None:
        """Let the wall clock jump; monotonic time does not move and nobody wakes.

        Args:
            delta_s: seconds, finite, forwards or (negative) backwards.

        Raises:
            ValueError: `delta_s` is not finite.
        """
        if not math.isfinite(delta_s):
            raise ValueError(f"shift_wall needs a finite number of seconds, got {delta_s!r}")
        self._epoch_s += delta_s

    async def sleep_until(self, when_s: float) -> None:
        """Return once `advance` has brought `monotonic()` to `when_s` or beyond.

        An instant already reached still lets every other ready task run once. Trap: a task that sleeps while
        nobody advances the clock waits for ever (in a SimLoop it is a Deadlock).
        """
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        with self._lock:
            if when_s > self._now_s:
                self._sleepers[woken] = when_s
            else:
                loop.call_soon(wake, woken)
        try:
            await woken
        finally:
            with self._lock:
                self._sleepers.pop(woken, None)

    async def sleep(self, delay_s: float) -> None:
        """Wait until `advance` has added up to `delay_s` seconds from now."""
        await self.sleep_until(self._now_s + delay_s)
