"""The clock port over the virtual time of a SimLoop: what simulated parts get in place of the real clock.

Owns the relation of wall clock to virtual time, jumps included. Virtual time itself belongs to the loop.
"""

from __future__ import annotations

import asyncio
import math

# With the loop's default start of 1,000,000 s this is 2026-01-01T00:00:00Z: plausible, and always the same.
EPOCH_S = 1_767_225_600.0 - 1_000_000.0


class SimClock:
    """A clock whose monotonic time is the loop's virtual time.

    Several clocks may read one loop: each has its own wall time, like machines whose clocks disagree.

    Args:
        loop: the loop to read; default: the running loop, so make the clock inside the simulation.
        epoch_s: unix seconds at virtual time 0.

    Raises:
        RuntimeError: no loop was given and none is running.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None, *, epoch_s: float = EPOCH_S) -> None:
        self._loop = loop if loop is not None else asyncio.get_running_loop()
        self._epoch_s = epoch_s

    def monotonic(self) -> float:
        """Virtual seconds; never goes back."""
        return self._loop.time()

    def wall(self) -> float:
        """Unix seconds: the epoch offset, plus virtual time, plus every shift so far."""
        return self._epoch_s + self._loop.time()

    def shift_wall(self, delta_s: float) -> None:
        """Let the wall clock jump, as a correction by NTP or an operator would; monotonic time does not move.

        Args:
            delta_s: seconds, forwards or (negative) backwards.

        Raises:
            ValueError: `delta_s` is not finite.
        """
        if not math.isfinite(delta_s):
            raise ValueError(f"shift_wall needs a finite number of seconds, got {delta_s!r}")
        self._epoch_s += delta_s

    async def sleep_until(self, when_s: float) -> None:
        """Return once `monotonic()` has reached `when_s`; it then is exactly `when_s` if that lay ahead.

        An instant already reached still lets every other ready task run once. Infinity waits for ever.
        """
        woken: asyncio.Future[None] = self._loop.create_future()
        timer = self._loop.call_at(when_s, wake, woken)
        try:
            await woken
        finally:
            timer.cancel()

    async def sleep(self, delay_s: float) -> None:
        """Wait for `delay_s` virtual seconds; zero and negative delays only let the others run."""
        await self.sleep_until(self._loop.time() + delay_s)


def wake(sleeper: asyncio.Future[None]) -> None:
    """Wake a sleeper, unless it was cancelled between becoming due and its loop's turn."""
    if not sleeper.done():
        sleeper.set_result(None)
