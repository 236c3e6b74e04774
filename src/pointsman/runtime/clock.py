"""The one file that reads time."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """The machine's clocks; implements `ports.Clock`."""

    def __init__(self) -> None:
        self.monotonic = time.monotonic
        self.wall = time.time

    async def sleep_until(self, when_s: float) -> None:
        """Return once `monotonic()` has reached `when_s`."""
        while (left := when_s - time.monotonic()) > 0.0:
            await asyncio.sleep(left)
