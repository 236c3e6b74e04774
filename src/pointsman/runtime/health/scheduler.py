"""The scheduler: the loops that hand out messages live, and nothing ready waits while a worker is free.

That a queue is stuck is told by what does not happen: a message is ready, a worker is free, and the pool's dispatcher
has not looked between two probes. However busy the router is, one that looks is not stuck.
"""

from __future__ import annotations

from typing import Final

from pointsman.model.health import Finding, failed, passed
from pointsman.runtime.health.premises import Alone, Premises

STUCK_S: Final = 2.0
"""For how long a free worker and a ready message may look at each other."""

LATE_S: Final = 2.0
"""How late the reaper may be."""

_ALL_LEVELS: Final = 4


class SchedulerCheck(Alone):
    """Looks whether messages are handed out.

    Args:
        house: whose dispatchers and reaper.
    """

    kind = "scheduler"
    depends_on = ("engine",)

    def __init__(self, house: Premises) -> None:
        self._house = house
        self._suspects: dict[str, tuple[int, float]] = {}

    def probe(self) -> Finding:
        """Look at the loops, at the reaper's next time, and at each queue with a free worker."""
        now = self._house.clock.monotonic()
        dead = [name for name in self._loops() if not self._house.tasks.runs(name)]
        if dead:
            output = f"{', '.join(dead)} runs no more: restart the router, and please report what its log says"
            return failed(output, len(dead), "loops ended", 0)
        late_s = self._house.reaper.overdue_s(now)
        if late_s > LATE_S:
            output = "the reaper is late, so messages expire and come back late: look at the event loop and the engine"
            return failed(output, late_s, "s", LATE_S)
        stuck = {name: for_s for name in self._house.pools if (for_s := self._stuck_s(name, now)) >= STUCK_S}
        if stuck:
            pool = max(stuck, key=stuck.__getitem__)
            output = f"messages wait in {pool} while a worker is free: restart the router, and please report this"
            return failed(output, stuck[pool], "s", STUCK_S)
        return passed(f"{len(self._house.dispatchers)} dispatchers and the reaper do their work", late_s, "s", LATE_S)

    async def look(self) -> Finding:
        """As the probe; a suspicion is looked into at once."""
        finding = self.probe()
        if self._suspects:
            clock = self._house.clock
            await clock.sleep_until(clock.monotonic() + STUCK_S)
            finding = self.probe()
        return finding

    def _loops(self) -> list[str]:
        return [*(f"dispatcher {name}" for name in self._house.dispatchers), "reaper", "lease keeper"]

    def _stuck_s(self, name: str, now: float) -> float:
        """Return for how long a ready message of a pool and a free worker have been left alone, seconds."""
        engine, looks = self._house.engine, self._house.dispatchers[name].looks
        idle = self._house.pools[name].free > 0 and engine.waiting(name, _ALL_LEVELS) > 0 and not engine.is_paused(name)
        if not idle:
            self._suspects.pop(name, None)
            return 0.0
        seen, since = self._suspects.get(name, (-1, now))
        if seen != looks:
            since = now
        self._suspects[name] = (looks, since)
        return now - since
