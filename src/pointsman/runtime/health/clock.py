"""The clocks: the wall clock runs as the monotonic one does. A step is somebody setting the time.

Decisions are made by monotonic time and do not mind; budgets, keys that expire and records are by the wall clock.
"""

from __future__ import annotations

from typing import Final

from pointsman.model.health import Finding, passed, warned
from pointsman.ports import Clock
from pointsman.runtime.health.premises import Alone

STEP_S: Final = 1.0
"""A correction below this is what a time service does all the time."""


class ClockCheck(Alone):
    """Compares the clocks with how they stood at the last deep look.

    Args:
        clock: both.
    """

    kind = "clock"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gap_s = clock.wall() - clock.monotonic()

    def probe(self) -> Finding:
        """Compare."""
        step_s = self._clock.wall() - self._clock.monotonic() - self._gap_s
        if abs(step_s) <= STEP_S:
            return passed("the wall clock runs evenly", step_s, "s", STEP_S)
        output = "the wall clock was set: budgets, keys that expire and records go by it; let a time service keep it"
        return warned(output, step_s, "s", STEP_S)

    async def look(self) -> Finding:
        """Compare, and hold the next look against how the clocks stand now."""
        finding = self.probe()
        self._gap_s = self._clock.wall() - self._clock.monotonic()
        return finding
