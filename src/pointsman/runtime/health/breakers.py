"""Circuit breakers: none stays open for long without anybody looking."""

from __future__ import annotations

from typing import Final

from pointsman.core.breaker import BreakerState
from pointsman.model.health import Finding, passed, warned
from pointsman.runtime.health.premises import Alone, Premises

LONG_S: Final = 300.0
"""A breaker that has not closed for so long is more than a hiccup."""

_PASSING: Final = frozenset({BreakerState.CLOSED, BreakerState.DISABLED})


class BreakersCheck(Alone):
    """Looks for how long each breaker has not been closed; one on trial counts as not closed.

    Args:
        house: whose workers.
    """

    kind = "breakers"

    def __init__(self, house: Premises) -> None:
        self._house = house
        self._since: dict[str, float] = {}

    def probe(self) -> Finding:
        """Look at all."""
        now = self._house.clock.monotonic()
        not_closed = [
            endpoint.id
            for pool in self._house.pools.values()
            for endpoint in pool
            if endpoint.breaker.state not in _PASSING
        ]
        self._since = {worker: self._since.get(worker, now) for worker in not_closed}
        if not self._since:
            return passed("all are closed", 0.0, "s", LONG_S)
        worker = min(self._since, key=self._since.__getitem__)
        for_s = now - self._since[worker]
        if for_s > LONG_S:
            output = f"that of worker {worker} has not been closed for long: mend the worker, or remove it"
            return warned(output, for_s, "s", LONG_S)
        return passed(f"{len(self._since)} not closed, none for long", for_s, "s", LONG_S)

    async def look(self) -> Finding:
        """As the probe."""
        return self.probe()
