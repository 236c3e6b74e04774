"""Tells when the time for something is over, with a timer that is hardly ever set.

What is waited for changes with each request, and nearly always comes in time. So a change only notes the new end; the
timer, once set, looks every ten seconds at most, and is set anew only where an end lies before its next look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

NEVER: Final = float("inf")

LOOKS_S: Final = 10.0
"""Seconds between two looks at most. An end at least as far away costs no timer while one runs."""


class Patience:
    """The time for one thing at a time.

    Args:
        loop: the event loop that runs.
        on_over: called once an end has come; the end is then `NEVER` until `wait` is called again.

    Attributes:
        until: the end, in seconds of the loop's clock; may be set to `NEVER` from outside.
    """

    __slots__ = ("_loop", "_next_look", "_on_over", "_timer", "until")

    def __init__(self, loop: asyncio.AbstractEventLoop, on_over: Callable[[], None]) -> None:
        self.until = NEVER
        self._loop = loop
        self._on_over = on_over
        self._timer: asyncio.TimerHandle | None = None
        self._next_look = NEVER

    def wait(self, until: float) -> None:
        """The time is over at `until`, whatever was said before."""
        self.until = until
        if until < self._next_look:
            self._look_at(until)

    def close(self) -> None:
        """Look no more."""
        self.until = self._next_look = NEVER
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_at(self, until: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next_look = min(until, self._loop.time() + LOOKS_S)
        self._timer = self._loop.call_at(self._next_look, self._look)

    def _look(self) -> None:
        self._timer = None
        due, self._next_look = self._next_look, NEVER
        if self.until <= due:
            self.until = NEVER
            self._on_over()
        elif self.until < NEVER:
            self._look_at(self.until)
