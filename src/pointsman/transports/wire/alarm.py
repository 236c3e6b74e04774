"""How long a wait may last, for the price of one comparison a wait.

One timer lives as long as its owner. It is moved only when it goes off or would go off too late, because deadlines move
ahead with every wait and setting a timer costs more than reading a chunk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

STOOD_STILL_S = 0.25
"""A timer that goes off so late means that the process stood still: it was stopped, or its machine was."""

READ_FIRST_S = 0.01
"""How much longer to wait then: what came meanwhile lies unread, and an event loop may look at its timers first."""


class Alarm:
    """Calls `rang` once a deadline has passed.

    Args:
        rang: told that `until` has passed; whether anybody still cares is its to know.

    Attributes:
        until: the deadline, in seconds of the loop's clock; infinity for none. Set it, then call `watch`.
    """

    __slots__ = ("_loop", "_rang", "_rings_at", "_timer", "until")

    def __init__(self, loop: asyncio.AbstractEventLoop, rang: Callable[[], None]) -> None:
        self.until = inf
        self._loop = loop
        self._rang = rang
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = inf

    def watch(self) -> None:
        """Make sure that it goes off at `until`, at the latest at the loop's next turn."""
        if self.until < self._rings_at:
            self.stop()
            self._set(max(self.until, self._loop.time()))

    def stop(self) -> None:
        """Do not go off. Idempotent; `watch` may follow."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._rings_at = inf

    def end(self) -> None:
        """Stop for good, and let go of the owner: both are then freed at once, not when garbage is collected."""
        self.stop()
        self.until = inf
        self._rang = _nobody

    def _set(self, at: float) -> None:
        self._rings_at = at
        self._timer = self._loop.call_at(at, self._go_off)

    def _go_off(self) -> None:
        now = self._loop.time()
        late_s = now - self._rings_at
        self._timer = None
        self._rings_at = inf
        if now < self.until:
            self.watch()
        elif late_s > STOOD_STILL_S:
            self._set(now + READ_FIRST_S)
        else:
            self._rang()


def _nobody() -> None:
    """Is told in vain."""
