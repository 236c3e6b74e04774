"""A pool: its workers, how many slots are free, and since when it has been down or busy.

The pool is the only writer of what makes a worker eligible (`load.open`, `load.ceiling`) and tells the balancer of each
change, so that a pick never looks at the whole fleet. It keeps one heap of times at which something may change by
itself: a breaker's pause or a worker's Retry-After running out. A slot that comes free belongs to whoever is parked for
it, and else to the queue.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator
from math import inf

from pointsman.core.breaker import BreakerState
from pointsman.core.load import FleetMean
from pointsman.core.suitable import Roster
from pointsman.model.errors import Conflict, NotFound
from pointsman.model.events import BreakerMoved, Emit, WorkerJoined, WorkerLeft
from pointsman.ports import Balancer, Clock
from pointsman.runtime.endpoint import Endpoint
from pointsman.runtime.parking import Parking

_PASSING = frozenset({BreakerState.CLOSED, BreakerState.DISABLED})
"""Breaker states that count as up; one trial call now and then does not end a pool's being down."""


class Pool:
    """Workers behind one queue.

    Args:
        name: its name, which is also that of its queue.
        balancer: chooses among eligible workers.
        mean: what is believed of a worker nothing is known of.
        clock: time.
        emit: takes events.
        wake: called when a slot may have become free, when the pool went down or came back, and when there is an
            earlier time to look again than before.
        call_help: called when the pool has become busy, so that pools which help then begin to wait.

    `busy_since` is since when no slot has been free for a message that waits. A slot that becomes free does not end it:
    under more work than workers it is taken again at once. Only slots that nobody wanted do, see `spare`.
    `patience_s` is how long an attempt may wait for the worker it prefers; assembly sets it, and a reload sets it anew.
    """

    def __init__(
        self,
        name: str,
        balancer: Balancer,
        mean: FleetMean,
        clock: Clock,
        emit: Emit,
        wake: Callable[[], None],
        call_help: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.mean = mean
        self.patience_s = 0.0
        self.roster = Roster()
        self.parking = Parking(self)
        self.down_since: float | None = clock.monotonic()
        self.busy_since: float | None = self.down_since
        self._balancer = balancer
        self._clock = clock
        self._emit = emit
        self._wake = wake
        self._call_help = call_help
        self._endpoints: dict[str, Endpoint] = {}
        self._free = 0
        self._open = 0
        self._up = 0
        self._claimed = 0
        self._starved = True
        self._wakes: list[tuple[float, str]] = []

    def __len__(self) -> int:
        """Workers, whatever their state."""
        return len(self._endpoints)

    def __iter__(self) -> Iterator[Endpoint]:
        """The workers in order of joining."""
        return iter(self._endpoints.values())

    def endpoint(self, worker_id: str) -> Endpoint:
        """Return a worker by id. Raises NotFound."""
        try:
            return self._endpoints[worker_id]
        except KeyError:
            known = ", ".join(self._endpoints) or "none"
            raise NotFound(f"there is no worker {worker_id!r} in pool {self.name!r}; known: {known}") from None

    def __contains__(self, worker_id: str) -> bool:
        """Whether a worker of that id is here."""
        return worker_id in self._endpoints

    def find(self, worker_id: str) -> Endpoint | None:
        """Return a worker by id, or None."""
        return self._endpoints.get(worker_id)

    def now(self) -> float:
        """Return the time, monotonic seconds."""
        return self._clock.monotonic()

    @property
    def free(self) -> int:
        """Slots that a message could be given now, less those already promised to leased messages."""
        return self._free - self._claimed

    @property
    def slots(self) -> int:
        """Messages that all open workers together can work on at once; of one on trial, what its breaker allows."""
        return self.slots_of(())

    def slots_of(self, barred: Collection[str]) -> int:
        """Return the same of all workers but those in `barred`."""
        workers = self._endpoints.values()
        return sum(one.load.ceiling + one.reserved for one in workers if one.load.open and one.id not in barred)

    @property
    def service_s(self) -> float:
        """Mean service time of its workers, seconds; 0 while nothing is known, so that a guess refuses nobody."""
        return self.mean.service_s if self.mean.known else 0.0

    def claim(self) -> None:
        """Promise a slot to a message that has just been leased."""
        self._claimed += 1

    def unclaim(self) -> None:
        """The promise is kept: the caller takes a slot at once."""
        self._claimed -= 1

    def give_back(self) -> None:
        """The promise is void: the slot is for whoever is parked for one like it, and else for the queue."""
        self._claimed -= 1
        if self.free > 0 and not (self.parking.lot and self.parking.offer()) and self._starved:
            self._wake()

    def use(self, balancer: Balancer) -> None:
        """Choose by another balancer from now on."""
        for endpoint in self._endpoints.values():
            self._balancer.remove(endpoint.load)
            balancer.add(endpoint.load)
        self._balancer = balancer

    def join(self, endpoint: Endpoint) -> None:
        """Add a worker. Raises Conflict if its id is taken."""
        if endpoint.id in self._endpoints:
            raise Conflict(f"worker {endpoint.id!r} is already in pool {self.name!r}")
        self._endpoints[endpoint.id] = endpoint
        self.roster.join(endpoint.id, endpoint.settings.transport, endpoint.settings.model)
        self._balancer.add(endpoint.load)
        endpoint.load.open = False
        self._emit(WorkerJoined(self._clock.monotonic(), self.name, endpoint.id))
        self.refresh(endpoint)

    def remove(self, endpoint: Endpoint) -> None:
        """Take a worker out; what it still has in hand goes on."""
        endpoint.draining = True
        self.refresh(endpoint)
        del self._endpoints[endpoint.id]
        self.roster.leave(endpoint.id, endpoint.settings.transport, endpoint.settings.model)
        self._balancer.remove(endpoint.load)
        self._emit(WorkerLeft(self._clock.monotonic(), self.name, endpoint.id))

    def pick(self, now: float, avoid: Collection[str] = ()) -> Endpoint | None:
        """Return a worker that may take one more message now and is not to be avoided, or None."""
        load = self._balancer.pick(now, avoid)
        return None if load is None else self._endpoints[load.id]

    def others_open(self, avoid: Collection[str]) -> bool:
        """Whether a worker outside `avoid` is open, if perhaps busy."""
        open_avoided = sum(1 for one in avoid if one in self._endpoints and self._endpoints[one].load.open)
        return self._open > open_avoided

    def hold(self, endpoint: Endpoint, until: float) -> None:
        """Leave a worker alone until monotonic `until`; a later wish never shortens an earlier one."""
        endpoint.held_until = max(endpoint.held_until, until)
        self.refresh(endpoint)

    def pause(self, endpoint: Endpoint, until: float) -> None:
        """Leave a worker alone until monotonic `until`, whatever was said before: its provider account says so."""
        endpoint.paused_until = until
        self.refresh(endpoint)

    def drain(self, endpoint: Endpoint, *, draining: bool) -> None:
        """Give a worker nothing new, or let it work again."""
        endpoint.draining = draining
        self.refresh(endpoint)

    def changed(self, endpoint: Endpoint) -> None:
        """A message went to the worker or came back; cheaper than `refresh`, which also asks the breaker."""
        load = endpoint.load
        free = load.available
        if free > endpoint.free and self.parking.lot:
            self.parking.grant(endpoint, free - endpoint.free)
            free = load.available
        if free != endpoint.free:
            self._count(endpoint, free)
        self._balancer.update(load)

    def _count(self, endpoint: Endpoint, free: int) -> None:
        grew = free > endpoint.free
        self._free += free - endpoint.free
        endpoint.free = free
        if self._free <= 0 and self.busy_since is None:
            self.busy_since = self._clock.monotonic()
            self._call_help()
        if not grew:
            return
        if self._starved:
            self._wake()
        elif self._free > 0:
            self.busy_since = None

    def starve(self) -> None:
        """Somebody waits for a slot, or may: each one that becomes free is worth a look."""
        self._starved = True

    def spare(self) -> None:
        """Nobody waits for the slots that are free now: the pool is not busy, and a further one wakes nobody."""
        self._starved = False
        self.busy_since = None

    def refresh(self, endpoint: Endpoint) -> None:
        """Work out anew whether a worker may be called, and tell everyone who must know."""
        now = self._clock.monotonic()
        breaker = endpoint.breaker
        load = endpoint.load
        was_open, was_up = load.open, endpoint.up
        admits = breaker.admits(now)
        load.open = admits > 0 and not endpoint.draining and endpoint.rests_until <= now
        load.ceiling = min(load.limit, load.in_flight + admits) - endpoint.reserved
        self._plan(endpoint, breaker.wakes_at() if admits == 0 else None, now)
        if load.open is not was_open:
            self._open += 1 if load.open else -1
        up = breaker.state in _PASSING and not endpoint.draining
        if up is not endpoint.up:
            endpoint.up = up
            self._rose(now, 1 if up else -1)
        if breaker.state != endpoint.was_state:
            self._emit(BreakerMoved(now, self.name, endpoint.id, endpoint.was_state, breaker.state))
            endpoint.was_state = breaker.state
        self.changed(endpoint)
        if self.parking.lot and ((was_open and not load.open) or (was_up and not up)):
            self.parking.alarm(endpoint)

    def _plan(self, endpoint: Endpoint, at: float | None, now: float) -> None:
        """Plan to look at a worker when its breaker (`at`) or its hold lets it through, whichever is first."""
        rests_until = endpoint.rests_until
        if now < rests_until < inf and (at is None or rests_until < at):
            at = rests_until
        if at is None or at == endpoint.planned:
            return
        endpoint.planned = at
        heapq.heappush(self._wakes, (at, endpoint.id))
        if self._wakes[0][0] == at:
            self._wake()

    def _rose(self, now: float, by: int) -> None:
        self._up += by
        if self._up == 0:
            self.down_since = now
            self._wake()
        elif self._up == by:
            self.down_since = None
            self._wake()

    def advance(self, now: float) -> float | None:
        """Let breakers and holds whose time has come change; return when to look again, or None."""
        wakes = self._wakes
        while wakes and wakes[0][0] <= now:
            _, worker_id = heapq.heappop(wakes)
            endpoint = self._endpoints.get(worker_id)
            if endpoint is not None:
                endpoint.breaker.advance(now)
                self.refresh(endpoint)
        return wakes[0][0] if wakes else None
