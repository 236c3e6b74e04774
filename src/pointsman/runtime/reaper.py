"""Does what time asks for: ends what expired, readies what was delayed, settles leases that ran out."""

from __future__ import annotations

from pointsman.ports import Clock, Engine, Notifier
from pointsman.runtime.settling import Settler

TOPIC = "reaper"
_LONGEST_SLEEP_S = 1.0


class Reaper:
    """Reaps one engine.

    Args:
        engine: what is reaped.
        settler: tells of what ended.
        notifier: wakes dispatchers, and this loop when something falls due sooner than planned.
        clock: time.
    """

    def __init__(self, engine: Engine, notifier: Notifier, clock: Clock) -> None:
        self._engine = engine
        self._notifier = notifier
        self._clock = clock
        self._next = float("inf")

    def expect(self, at: float) -> None:
        """Something falls due at monotonic `at`: be there."""
        if at < self._next:
            self._next = at
            self._notifier.notify(TOPIC)

    async def run(self, settler: Settler) -> None:
        """Reap for ever."""
        while True:
            await self.step(settler)
            await self._notifier.wait(TOPIC, self._next)

    async def step(self, settler: Settler) -> None:
        """Reap once and plan the next time."""
        reaped = await self._engine.reap()
        self._next = float("inf") if reaped.next_due is None else reaped.next_due
        for ended in reaped.ended:
            settler.ended(ended)
        for lease in reaped.lost:
            await settler.lost(lease)
        for queue in reaped.ready:
            self._notifier.notify(queue)
