"""The event loop: what is due runs on time. A loop that is late makes every message late."""

from __future__ import annotations

from typing import Final

from pointsman.model.health import Finding, failed, passed, warned
from pointsman.ports import Clock
from pointsman.runtime.health.premises import Alone

LATE_S: Final = 0.25
STUCK_S: Final = 2.0

_TRIES: Final = 5
_SHORT_S: Final = 0.01


class LoopCheck(Alone):
    """Knows how late the round of probes last ran; the deep look adds a few short sleeps of its own.

    `late_s` is set by whoever makes the rounds.

    Args:
        clock: time.
    """

    kind = "event_loop"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.late_s = 0.0

    def probe(self) -> Finding:
        """Judge how late the last round was."""
        return _judge(self.late_s)

    async def look(self) -> Finding:
        """Judge the worst of a few short sleeps."""
        worst_s = 0.0
        for _ in range(_TRIES):
            due = self._clock.monotonic() + _SHORT_S
            await self._clock.sleep_until(due)
            worst_s = max(worst_s, self._clock.monotonic() - due)
        return _judge(worst_s)


def _judge(late_s: float) -> Finding:
    advice = "something holds it up: too little processor, or a callable worker that computes inside the loop"
    if late_s > STUCK_S:
        return failed(f"it ran far too late; {advice}", late_s, "s", STUCK_S)
    if late_s > LATE_S:
        return warned(f"it ran late; {advice}", late_s, "s", LATE_S)
    return passed("it runs what is due on time", late_s, "s", LATE_S)
