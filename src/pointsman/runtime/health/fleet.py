"""Pools and workers: each is a component of its own, which comes and goes with them.

A worker is asked whether it can be reached, never whether it can work: that would cost money. A pool needs any of its
workers, so that one that has failed is the pool's warning and nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pointsman.core.breaker import BreakerState
from pointsman.core.health_board import Needs
from pointsman.model.health import Finding, failed, passed, warned
from pointsman.runtime.endpoint import Endpoint
from pointsman.runtime.health.premises import Check
from pointsman.runtime.pool import Pool


@dataclass(frozen=True)
class WorkerCheck:
    """Whether a worker can be reached."""

    endpoint: Endpoint
    pool: str
    kind: str = "worker"
    depends_on: tuple[str, ...] = ()
    needs: Needs = "each"

    @property
    def component(self) -> str:
        """Name of the component."""
        return f"worker:{self.endpoint.id}"

    def probe(self) -> Finding:
        """Look at the state that messages have left it in."""
        endpoint = self.endpoint
        if endpoint.draining:
            return passed("drains, by an operator's wish")
        if endpoint.breaker.state in (BreakerState.OPEN, BreakerState.FORCED_OPEN):
            return warned(f"its circuit breaker is {endpoint.breaker.state}: `pointsman workers ls` shows how it fares")
        return passed(f"may be called, {endpoint.load.in_flight} of {endpoint.load.limit} in hand")

    async def look(self) -> Finding:
        """Ask whether it takes a connection. A worker that does not live in this process gets no work by that."""
        try:
            reached = await self.endpoint.transport.probe()
        except OSError as error:
            return failed(f"cannot be reached: {error.strerror or error}; is it running?")
        if reached:
            return passed("can be reached")
        where = self.endpoint.settings.url or " ".join(self.endpoint.settings.command or ())[:80]
        return failed(f"cannot be reached{f' at {where}' if where else ''}; is it running? Pool {self.pool} needs it")


@dataclass(frozen=True)
class PoolCheck:
    """Whether a pool has workers that may be called."""

    pool: Pool
    depends_on: tuple[str, ...]
    kind: str = "pool"
    needs: Needs = "any"

    @property
    def component(self) -> str:
        """Name of the component."""
        return f"pool:{self.pool.name}"

    def probe(self) -> Finding:
        """Count workers that may be called, of those that nobody drains."""
        wanted = [endpoint for endpoint in self.pool if not endpoint.draining]
        if not wanted:
            output = "has no worker, so that its messages are refused or left to another pool: `pointsman workers add`"
            return warned(output, 0, "workers", 1)
        up = sum(endpoint.up for endpoint in wanted)
        share = up / len(wanted)
        if up == 0:
            return failed("no worker may be called: `pointsman workers ls` shows why", share, "share", 1.0)
        if share < 1.0:
            return warned(f"{up} of {len(wanted)} workers may be called", share, "share", 1.0)
        return passed(f"{up} of {len(wanted)} workers may be called", share, "share", 1.0)

    async def look(self) -> Finding:
        """As the probe."""
        return self.probe()


def fleet_checks(pools: Mapping[str, Pool]) -> Iterator[Check]:
    """Return a check for each worker and pool there is now, those that others depend on first."""
    for pool in pools.values():
        workers = [WorkerCheck(endpoint, pool.name) for endpoint in pool]
        yield from workers
        yield PoolCheck(pool, tuple(worker.component for worker in workers))
