"""For how long a stage has lasted: by a clock that only grows, so that a wall clock set back or forth changes nothing.

Over a restart only the wall clock is left, read from the record; one that went back in between makes a stage younger,
never older than it is.
"""

from __future__ import annotations

from pointsman.ports import Clock


class StageTime:
    """Time of one stage.

    Args:
        clock: time.

    Attributes:
        since: Unix seconds at which the stage began, for people; None where none has begun.
    """

    def __init__(self, clock: Clock) -> None:
        self.since: float | None = None
        self._clock = clock
        self._began = clock.monotonic()
        self._before_s = 0.0

    def begin(self) -> None:
        """The stage begins now."""
        self.since = self._clock.wall()
        self._began, self._before_s = self._clock.monotonic(), 0.0

    def restore(self, since: float | None) -> None:
        """The stage began before this process, at Unix seconds `since`."""
        self.since = since
        self._began = self._clock.monotonic()
        self._before_s = 0.0 if since is None else max(0.0, self._clock.wall() - since)

    def elapsed_s(self) -> float:
        """Return how many seconds it has lasted."""
        return self._before_s + self._clock.monotonic() - self._began
