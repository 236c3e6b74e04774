"""A whole router in virtual time under described traffic and faults: the real assembly, scripted workers, one seed.

Everything that could differ between two runs comes from the seed, so equal seeds give equal event logs to the byte.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

from pointsman.embedded import Router
from pointsman.model.message import PRIORITIES, Message
from pointsman.model.outcome import Refused
from pointsman.model.settings import LimitSettings, PoolSettings, RetrySettings, Settings, WorkerSettings
from pointsman.model.views import Counts
from pointsman.sim.clock import SimClock
from pointsman.sim.event_log import EventLog
from pointsman.sim.running import run
from pointsman.sim.scripted import FAULTS, Fault, ScriptedWorker

_CLASSES = ("tactical", "strategic")


@dataclass(slots=True, frozen=True)
class Scenario:
    """What happens in one simulation.

    Attributes:
        seed: of everything random.
        messages: how many are sent.
        clients: how many senders share them.
        load: offered work over capacity.
        workers: workers of each of the two pools.
        slots: messages each of them takes at once.
        mean_s: mean service time, seconds.
        sigma: its spread.
        cancel_share: share of messages whose sender goes away at a random moment.
        hurried_share: share of messages with a time to live about as short as the service time.
        lossy_share: share of the time for which a worker of each pool is bad, by turns, in every way there is.
        timeout_s: longest attempt, seconds.
        churn: workers leave and join again while it runs.
    """

    seed: int
    messages: int = 1000
    clients: int = 8
    load: float = 0.8
    workers: int = 4
    slots: int = 2
    mean_s: float = 1.0
    sigma: float = 1.0
    cancel_share: float = 0.0
    hurried_share: float = 0.0
    lossy_share: float = 0.0
    timeout_s: float = 30.0
    churn: bool = False


@dataclass(slots=True)
class Happened:
    """What came of a scenario.

    Attributes:
        log: the event log.
        counts: the accounting at rest.
        ends: ends as the senders saw them, by status; refusals as `refused <reason>`; `gone` for senders who left.
        in_flight: messages that workers still have in hand at rest, which must be none.
        running: deliveries that still run at rest, which must be none.
        waiting: callers that still wait at rest, which must be none.
        free_slots: free slots at rest, by pool.
        elapsed_s: virtual seconds it took.
    """

    log: bytes
    counts: Counts
    ends: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    running: int = 0
    waiting: int = 0
    free_slots: dict[str, int] = field(default_factory=dict)
    elapsed_s: float = 0.0


def play(scenario: Scenario) -> Happened:
    """Run a scenario from its first message until everything is at rest."""
    return run(_Play(scenario).run, max_steps=200_000_000)


class _Play:
    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.rng = random.Random(scenario.seed)
        self.ends: Counter[str] = Counter()

    async def run(self) -> Happened:
        scenario = self.scenario
        clock = SimClock()
        start = clock.monotonic()
        span_s = scenario.messages * scenario.mean_s / (scenario.load * 2 * scenario.workers * scenario.slots)
        faults = _faults(scenario, span_s)
        router = self._router(clock, faults)
        log = EventLog(start)
        router.observe(log.observe)
        async with router:
            senders = []
            for number in range(scenario.messages):
                await clock.sleep_until(start + span_s * (number + self.rng.random()) / scenario.messages)
                senders.append(asyncio.get_running_loop().create_task(self._send(router, clock, number)))
                if scenario.churn and number % 500 == 250:
                    await self._churn(router)
            await asyncio.gather(*senders)
            await self._settle(router, clock)
            return Happened(
                log=log.to_bytes(),
                counts=await router.counts(),
                ends=self.ends,
                in_flight=sum(worker.in_flight for worker in router.workers()),
                running=len(router.house.running),
                waiting=len(router.house.replies),
                free_slots={name: pool.free for name, pool in router.house.pools.items()},
                elapsed_s=clock.monotonic() - start,
            )

    def _router(self, clock: SimClock, faults: tuple[Fault, ...]) -> Router:
        scenario = self.scenario
        self.local: dict[str, ScriptedWorker] = {}
        pools: dict[str, PoolSettings] = {}
        for pool in ("planners", "coders"):
            ids = [f"{pool}-{number}" for number in range(scenario.workers)]
            for worker_id in ids:
                self.local[worker_id] = ScriptedWorker(
                    worker_id, clock, random.Random(self.rng.random()), scenario.mean_s, scenario.sigma, faults
                )
            pools[pool] = PoolSettings(
                workers=[
                    WorkerSettings(id=worker_id, transport="callable", max_in_flight=scenario.slots)
                    for worker_id in ids
                ],
                timeout_s=scenario.timeout_s,
                retry=RetrySettings(base_s=0.05),
            )
        settings = Settings(pools=pools, limits=LimitSettings(rate_per_min=1_000_000, burst=1_000_000))
        router = Router(settings, clock=clock, rng=random.Random(self.rng.random()))
        router.house.local.update(self.local)
        return router

    async def _send(self, router: Router, clock: SimClock, number: int) -> None:
        rng, scenario = self.rng, self.scenario
        message = Message(
            text=f"message {number}",
            class_=rng.choice(_CLASSES),
            priority=rng.choice(PRIORITIES),
            ttl_s=scenario.mean_s * (0.1 + rng.random()) if rng.random() < scenario.hurried_share else None,
        )
        client = f"client-{rng.randrange(scenario.clients)}"
        if rng.random() >= scenario.cancel_share:
            self._count(await router.send(message, client=client))
            return
        patience_s = rng.random() * 2.0 * scenario.mean_s
        try:
            async with asyncio.timeout(patience_s):
                self._count(await router.send(message, client=client))
        except TimeoutError:
            self.ends["gone"] += 1

    def _count(self, result: object) -> None:
        if isinstance(result, Refused):
            self.ends[f"refused {result.reason}"] += 1
        else:
            self.ends[str(getattr(result, "status", result))] += 1

    async def _churn(self, router: Router) -> None:
        pool = self.rng.choice(("planners", "coders"))
        leaving = self.rng.choice([worker.id for worker in router.workers(pool)])
        settings = router.house.pools[pool].endpoint(leaving).settings
        router.remove_worker(leaving)
        await router.add_worker(pool, settings)

    async def _settle(self, router: Router, clock: SimClock) -> None:
        while True:
            counts = await router.counts()
            if counts.waiting == 0 and counts.in_flight == 0 and not router.house.running:
                return
            await clock.sleep_until(clock.monotonic() + 1.0)


def _faults(scenario: Scenario, span_s: float) -> tuple[Fault, ...]:
    """Return one bad spell of each kind for a worker of each pool, spread over the run."""
    if scenario.lossy_share == 0.0:
        return ()
    part_s = span_s / len(FAULTS)
    return tuple(
        Fault(
            kind,
            f"{pool}-{position % scenario.workers}",
            position * part_s,
            (position + scenario.lossy_share) * part_s,
            0.5 if kind == "grey" else 1.0,
        )
        for pool in ("planners", "coders")
        for position, kind in enumerate(FAULTS)
    )
