"""Does what time asks for: ends what expired, readies what was delayed, settles leases that ran out."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from pointsman.ports import Clock, Engine, Lease, Notifier
from pointsman.runtime.settling import Settler

TOPIC = "reaper"

_LONGEST_SLEEP_S = 5.0
"""Look at least so often: a lease that runs out announces itself to nobody."""


class Reaper:
    """Reaps one engine.

    Args:
        engine: what is reaped.
        notifier: wakes this loop when something falls due sooner than planned.
        clock: time.
        wake: called with the name of a queue in which something has become ready.
        revive: asked whether the attempt of a lease that ran out goes on here under the fresh lease.
    """

    def __init__(
        self,
        engine: Engine,
        notifier: Notifier,
        clock: Clock,
        wake: Callable[[str], None],
        revive: Callable[[Lease], bool],
    ) -> None:
        self._engine = engine
        self._notifier = notifier
        self._clock = clock
        self._wake = wake
        self._revive = revive
        self._next = inf
        self._wakes_by = inf

    def expect(self, at: float) -> None:
        """Something falls due at monotonic `at`: be there."""
        if at < self._next:
            self._next = at
            self._notifier.notify(TOPIC)

    async def run(self, settler: Settler) -> None:
        """Reap for ever."""
        while True:
            await self.step(settler)
            self._wakes_by = min(self._next, self._clock.monotonic() + _LONGEST_SLEEP_S)
            await self._notifier.wait(TOPIC, self._wakes_by)

    def overdue_s(self, now: float) -> float:
        """Return for how long it should have been at work by monotonic `now`, seconds."""
        return max(0.0, now - min(self._next, self._wakes_by))

    async def step(self, settler: Settler) -> None:
        """Reap once and plan the next time."""
        # What is expected from here on may come too late for this reaping, so it must not be planned away afterwards.
        self._next = inf
        reaped = await self._engine.reap()
        if reaped.next_due is not None and reaped.next_due < self._next:
            self._next = reaped.next_due
        for ended in reaped.ended:
            settler.ended(ended)
        for lease in reaped.lost:
            if not self._revive(lease):
                await settler.lost(lease)
        for queue in reaped.ready:
            self._wake(queue)
