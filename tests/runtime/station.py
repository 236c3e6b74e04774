"""A dispatcher with real neighbours: engine, notifier, pool, stack, settler, reaper. Only the workers are scripted."""

from __future__ import annotations

import random
from collections.abc import Sequence

from pointsman import stack
from pointsman.core.affinity import PreferredWorkers
from pointsman.core.routing import FallbackRule
from pointsman.engines.local.engine import LocalEngine
from pointsman.layers.delivery.hold_lease import HoldLease
from pointsman.layers.delivery.measure import MeasureDelivery
from pointsman.layers.delivery.pick import Pick
from pointsman.model.events import Event
from pointsman.model.message import Envelope
from pointsman.model.outcome import Accepted
from pointsman.model.settings import EngineSettings, RetrySettings
from pointsman.ports import Attempt, Lease, Source
from pointsman.runtime.bell import Bell
from pointsman.runtime.dispatcher import Dispatcher
from pointsman.runtime.leases import LeaseKeeper
from pointsman.runtime.notifier import LocalNotifier
from pointsman.runtime.pool import Pool
from pointsman.runtime.reaper import Reaper
from pointsman.runtime.replies import Replies, Waiter
from pointsman.runtime.settling import Settler
from pointsman.runtime.tasks import Tasks
from pointsman.sim import SimClock
from pointsman.testing.make import envelope
from tests.runtime.fleet_of import Yard


class CountingEngine(LocalEngine):
    """Counts what is asked of it, and fails while it is told to."""

    fault: Exception | None = None
    asked = 0

    async def lease(self, sources: Sequence[Source], want: int) -> list[Lease]:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        return await super().lease(sources, want)


class Station:
    """Pool `coders` and, if asked for, a pool that it may help; nothing runs before `start`."""

    def __init__(self, *, helped: FallbackRule | None = None, lease_s: float = 30.0) -> None:
        self.clock = SimClock()
        self.yard = Yard(self.clock)
        self.pools: dict[str, Pool] = {"coders": self.yard.pool}
        self.events: list[Event] = []
        self.engine = CountingEngine(EngineSettings(lease_s=lease_s), self.clock, ("coders", "planners"))
        self.notifier = LocalNotifier(self.clock)
        self.bell = Bell(self.notifier)
        self.bell.rules = {"planners": helped} if helped else {}
        self.yard.pool._wake = lambda: self.bell.ring("coders")
        self.replies = Replies(100, 100_000)
        self.tasks = Tasks(self.clock)
        self.keeper = LeaseKeeper(self.engine, self.clock, lease_s)
        self.reaper = Reaper(self.engine, self.notifier, self.clock, self.bell.ring, self.keeper.revive)
        self.settler = Settler(
            self.engine,
            self.replies,
            self.clock,
            random.Random(1),
            self.events.append,
            self.reaper.expect,
            self.bell.ring,
        )
        retry = RetrySettings(base_s=1.0, jitter_share=0.0)
        self.settler.policies = {"coders": retry, "planners": retry}
        self.running: dict[str, Attempt] = {}
        self.preferred = PreferredWorkers(3600.0, 100)
        layers = (MeasureDelivery(self.clock, self.events.append), HoldLease(self.keeper))
        self.dispatcher = Dispatcher(
            self.yard.pool,
            engine=self.engine,
            notifier=self.notifier,
            deliver=stack.build(layers, Pick(self.pools, self.preferred, self.clock)),
            settler=self.settler,
            replies=self.replies,
            clock=self.clock,
            tasks=self.tasks,
            emit=self.events.append,
            running=self.running,
            ring=lambda: self.bell.ring("coders"),
        )
        self.made = 0

    async def start(self) -> None:
        """Open the engine, dispatch and reap."""
        await self.engine.open()
        self.tasks.supervise(self.dispatcher.run, "dispatcher")
        self.tasks.supervise(lambda: self.reaper.run(self.settler), "reaper")

    async def put(self, *, tell: bool = True, **fields: object) -> Waiter:
        """Enqueue a message whose sender waits, and ring for it."""
        message = self.message(**fields)
        waiter = self.replies.open(message.id)
        assert await self.engine.put(message) == Accepted(message.id)
        if tell:
            self.reaper.expect(message.expires_at)
            self.bell.ring(message.pool)
        return waiter

    def message(self, **fields: object) -> Envelope:
        """Return a fresh message."""
        self.made += 1
        return envelope(f"text {self.made}", at=self.clock.monotonic(), id=f"{self.made:032x}", **fields)  # type: ignore[arg-type]
