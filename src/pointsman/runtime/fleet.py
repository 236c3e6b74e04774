"""The workers of all pools: joining, draining, leaving, and what an operator sees of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import msgspec

from pointsman.model.errors import Conflict, NotFound
from pointsman.model.settings import WorkerSettings
from pointsman.ports import Clock
from pointsman.runtime.endpoint import Endpoint
from pointsman.runtime.pool import Pool
from pointsman.runtime.tasks import Tasks

_LOOK_S = 0.05


class WorkerView(msgspec.Struct, frozen=True):
    """One worker as shown by the API.

    Attributes:
        state: `ready`, `busy`, `open` (breaker), `half_open`, `held` (it asked for a pause), `draining`.
        service_s: learned time of a message, seconds.
        success_share: learned share of calls that went well, 0..1.
        origin: `file`, `api` or `code`.
    """

    id: str
    pool: str
    transport: str
    state: str
    breaker: str
    in_flight: int
    max_in_flight: int
    service_s: float
    success_share: float
    origin: str
    model: str | None = None


class PoolView(msgspec.Struct, frozen=True):
    """One pool as shown by the API. `down_s`: for how long it has had no worker that may be called; None = it has."""

    name: str
    workers: int
    slots: int
    free: int
    down_s: float | None


class Fleet:
    """All pools and their workers.

    Args:
        pools: by name; a reload may add to the mapping.
        make: builds the endpoint of a worker that is to join a pool, its delivery stack included.
        clock: time.
        tasks: waits for workers that drain.
    """

    def __init__(
        self,
        pools: Mapping[str, Pool],
        make: Callable[[Pool, WorkerSettings, str], Endpoint],
        clock: Clock,
        tasks: Tasks,
    ) -> None:
        self.pools = pools
        self._make = make
        self._clock = clock
        self._tasks = tasks
        self._leaving: dict[Endpoint, None] = {}

    def pool(self, name: str) -> Pool:
        """Return a pool. Raises NotFound."""
        try:
            return self.pools[name]
        except KeyError:
            known = ", ".join(sorted(self.pools)) or "none"
            raise NotFound(f"there is no pool {name!r}; known: {known}") from None

    def find(self, worker_id: str) -> tuple[Pool, Endpoint]:
        """Return a worker and its pool. Raises NotFound."""
        for pool in self.pools.values():
            if worker_id in pool:
                return pool, pool.endpoint(worker_id)
        raise NotFound(f"there is no worker {worker_id!r}")

    async def join(self, pool_name: str, settings: WorkerSettings, origin: str) -> WorkerView:
        """Add a worker.

        Raises:
            NotFound: no such pool.
            Conflict: its id is taken, in this pool or another.
        """
        pool = self.pool(pool_name)
        self.must_be_free(settings.id)
        endpoint = self._make(pool, settings, origin)
        joined = False
        try:
            await endpoint.transport.open()
            # Again, because another of that id may have joined while this one was opened.
            self.must_be_free(settings.id)
            pool.join(endpoint)
            joined = True
        finally:
            if not joined:
                await endpoint.transport.close()
        return self.view(pool, endpoint)

    def must_be_free(self, worker_id: str) -> None:
        """Raise Conflict if there is a worker of that id, in any pool."""
        for pool in self.pools.values():
            if worker_id in pool:
                raise Conflict(f"worker {worker_id!r} is already in pool {pool.name!r}")

    def drain(self, worker_id: str, *, draining: bool = True) -> WorkerView:
        """Give a worker nothing new, or let it work again. Raises NotFound."""
        pool, endpoint = self.find(worker_id)
        pool.drain(endpoint, draining=draining)
        return self.view(pool, endpoint)

    def leave(self, worker_id: str) -> None:
        """Take a worker out; it finishes what it has in hand. Raises NotFound."""
        pool, endpoint = self.find(worker_id)
        pool.remove(endpoint)
        self._leaving[endpoint] = None
        self._tasks.spawn(self._see_off(endpoint), f"leave {worker_id}")

    async def _see_off(self, endpoint: Endpoint) -> None:
        while endpoint.load.in_flight > 0:
            await self._clock.sleep_until(self._clock.monotonic() + _LOOK_S)
        await endpoint.transport.close()
        self._leaving.pop(endpoint, None)

    async def close(self) -> None:
        """Close every worker's transport, also of those that have left but still had work in hand."""
        here = [endpoint for pool in self.pools.values() for endpoint in pool]
        await asyncio.gather(*(endpoint.transport.close() for endpoint in (*here, *self._leaving)))
        self._leaving.clear()

    def view(self, pool: Pool, endpoint: Endpoint) -> WorkerView:
        """Return what an operator sees of a worker."""
        load = endpoint.load
        now = self._clock.monotonic()
        service_s, success_share = load.estimate(now)
        return WorkerView(
            id=endpoint.id,
            pool=pool.name,
            transport=endpoint.settings.transport,
            state=_state(endpoint, now),
            breaker=endpoint.breaker.state,
            in_flight=load.in_flight,
            max_in_flight=load.limit,
            service_s=service_s,
            success_share=success_share,
            origin=endpoint.origin,
            model=endpoint.settings.model,
        )

    def workers(self, pool_name: str | None = None) -> list[WorkerView]:
        """Return every worker, or those of one pool. Raises NotFound."""
        pools = self.pools.values() if pool_name is None else (self.pool(pool_name),)
        return [self.view(pool, endpoint) for pool in pools for endpoint in pool]

    def pool_views(self) -> list[PoolView]:
        """Return every pool."""
        now = self._clock.monotonic()
        return [
            PoolView(
                name=pool.name,
                workers=len(pool),
                slots=pool.slots,
                free=max(0, pool.free),
                down_s=None if pool.down_since is None else now - pool.down_since,
            )
            for pool in self.pools.values()
        ]


def _state(endpoint: Endpoint, now: float) -> str:
    if endpoint.draining:
        return "draining"
    if endpoint.breaker.state != "closed":
        return endpoint.breaker.state
    if endpoint.rests_until > now:
        return "held"
    return "busy" if endpoint.load.available <= 0 else "ready"
