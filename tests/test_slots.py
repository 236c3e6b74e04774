"""Whatever is cancelled, whoever leaves, at whichever step: slots come back, nobody waits, each message ends once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.embedded import Router
from pointsman.model.events import Admitted, AttemptEnded, AttemptStarted, Ended, Event
from pointsman.model.message import PRIORITIES
from pointsman.model.outcome import Refused
from pointsman.model.result import Result
from pointsman.model.settings import (
    BreakerSettings,
    ClassSettings,
    EngineSettings,
    LimitSettings,
    PoolSettings,
    RetrySettings,
    Settings,
)
from pointsman.model.states import Status
from pointsman.sim import SimClock
from pointsman.transports.callable import WorkerBusy

STEPS = 45
"""More loop turns than a message needs from its sender's call to its answer, with one retry on the way."""


class Steps:
    """A worker of many small steps that says no the first time it sees a message."""

    def __init__(self, first: Exception | None = None) -> None:
        self.first = first
        self.seen: Counter[str] = Counter()
        self.in_hand = 0

    async def __call__(self, work: Mapping[str, Any]) -> str:
        self.seen[work["id"]] += 1
        self.in_hand += 1
        try:
            for _ in range(5):
                await asyncio.sleep(0)
            if self.first is not None and self.seen[work["id"]] == 1:
                raise self.first
            for _ in range(5):
                await asyncio.sleep(0)
        finally:
            self.in_hand -= 1
        return "done"


class Watch:
    """Counts what is told of each message."""

    def __init__(self) -> None:
        self.admitted: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.out: Counter[str] = Counter()

    def __call__(self, event: Event) -> None:
        match event:
            case Admitted():
                self.admitted[event.envelope.id] += 1
            case Ended():
                self.ended[event.envelope.id] += 1
            case AttemptStarted():
                self.out[event.envelope.id] += 1
            case AttemptEnded():
                self.out[event.envelope.id] -= 1


def settings() -> Settings:
    """Return two pools that help each other, quick retries, and no limits."""
    rules = PoolSettings(retry=RetrySettings(base_s=0.001, max_attempts=4), breaker=BreakerSettings(failures=1000))
    limits = LimitSettings(rate_per_min=1_000_000_000, burst=1_000_000_000, flood_copies=1_000_000_000)
    strategic = ClassSettings(pool="planners", fallback=["coders"], fallback_on=["down", "busy"], fallback_after_s=0.5)
    return Settings(
        classes={"strategic": strategic, "tactical": ClassSettings(pool="coders")},
        pools={"planners": rules, "coders": rules},
        limits=limits,
        engine=EngineSettings(lease_s=3.0),
    )


async def at_rest(router: Router, watch: Watch, workers: list[Steps]) -> None:
    """Assert that everything that began has ended, once, and nothing is held anywhere."""
    house = router.house
    counts = await router.counts()
    ended = counts.delivered + counts.failed + counts.dead + counts.expired + counts.cancelled
    assert (counts.waiting, counts.in_flight, counts.admitted) == (0, 0, ended), counts
    assert (house.running, len(house.replies), len(house.keeper), len(house.deadlines)) == ({}, 0, 0, 0)
    for pool in house.pools.values():
        assert pool.free == pool.slots
        assert pool._claimed == 0
        assert all(endpoint.load.in_flight == 0 for endpoint in pool)
    assert [worker.in_hand for worker in workers] == [0] * len(workers)
    assert watch.admitted == watch.ended
    assert set(watch.ended.values()) <= {1}
    assert set(watch.out.values()) <= {0}


async def _cancel_sender(router: Router, sender: asyncio.Task[Any]) -> None:
    sender.cancel()


async def _cancel_message(router: Router, sender: asyncio.Task[Any]) -> None:
    for view in await router.house.engine.find():
        await router.cancel(view.id)


async def _cancel_delivery(router: Router, sender: asyncio.Task[Any]) -> None:
    for attempt in list(router.house.running.values()):
        attempt.revoke()


async def _leave(router: Router, sender: asyncio.Task[Any]) -> None:
    router.remove_worker("w")
    await router.add_worker("coders", Steps(), id="w")


async def _purge(router: Router, sender: asyncio.Task[Any]) -> None:
    await router.house.core.purge("coders")


async def _pause(router: Router, sender: asyncio.Task[Any]) -> None:
    await router.house.engine.pause("coders")
    asyncio.get_running_loop().call_later(1.0, lambda: asyncio.ensure_future(router.house.engine.resume("coders")))


async def _drain_worker(router: Router, sender: asyncio.Task[Any]) -> None:
    router.house.fleet.drain("w")
    asyncio.get_running_loop().call_later(1.0, lambda: router.house.fleet.drain("w", draining=False))


async def _reload(router: Router, sender: asyncio.Task[Any]) -> None:
    plain = settings()
    pool = PoolSettings(balancer="p2c", breaker=BreakerSettings(failures=9), retry=RetrySettings(base_s=0.002))
    pools = {"planners": pool, "coders": pool}
    await router.reload(Settings(classes=plain.classes, pools=pools, limits=plain.limits, engine=plain.engine))


DEEDS: dict[str, Callable[[Router, asyncio.Task[Any]], Awaitable[None]]] = {
    "the sender goes": _cancel_sender,
    "the message is cancelled": _cancel_message,
    "the delivery is cancelled": _cancel_delivery,
    "the worker leaves and another one comes": _leave,
    "the queue is purged": _purge,
    "the queue is paused for a while": _pause,
    "the worker is drained for a while": _drain_worker,
    "new settings come": _reload,
}

ANSWERS: dict[str, Exception | None] = {
    "answers": None,
    "fails first": ConnectionError("not today"),
    "is busy first": WorkerBusy(0.001),
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("answer", ANSWERS)
async def test_nothing_is_left_whatever_happens_at_whichever_step(deed: str, answer: str) -> None:
    """One message after the other, each disturbed one loop turn later than the one before."""
    worker, watch = Steps(ANSWERS[answer]), Watch()
    async with Router(settings(), workers={"coders": {"w": worker}}, clock=SimClock()) as router:
        router.observe(watch)
        for turns in range(STEPS):
            sender = asyncio.ensure_future(router.send("x", class_="tactical"))
            for _ in range(turns):
                await asyncio.sleep(0)
            await DEEDS[deed](router, sender)
            await asyncio.wait([sender])
            await asyncio.sleep(0.0)
            await asyncio.sleep(0.0)
            if not sender.cancelled():
                result = sender.result()
                assert isinstance(result, Result), result
                assert result.status in {Status.DELIVERED, Status.CANCELLED}
            await asyncio.sleep(10.0)
            await at_rest(router, watch, [worker])


@given(seed=st.integers(0, 10**9), count=st.integers(1, 25))
async def test_nothing_is_left_after_any_mixture(seed: int, count: int) -> None:
    """Many messages over two pools, and at random instants everything that can happen to them."""
    rng = random.Random(seed)
    workers = [Steps(rng.choice(list(ANSWERS.values()))) for _ in range(4)]
    by_pool = {"coders": {"w": workers[0], "v": workers[1]}, "planners": {"p": workers[2], "q": workers[3]}}
    watch = Watch()
    async with Router(settings(), workers=by_pool, clock=SimClock(), rng=random.Random(seed)) as router:
        router.observe(watch)
        senders: list[asyncio.Task[Any]] = []
        for number in range(count):
            fields = {
                "class_": rng.choice(["tactical", "strategic"]),
                "priority": rng.choice(PRIORITIES),
                "redeliver": rng.choice(["always", "unsent", "never"]),
                "ttl_s": rng.choice([0.001, 0.01, 100.0]),
                "wait_s": rng.choice([0.0, 0.001, None]),
                "strict": rng.random() < 0.3,
            }
            senders.append(asyncio.ensure_future(router.send(f"{number}", client=f"c{rng.randrange(3)}", **fields)))
            if rng.random() < 0.6:
                for _ in range(rng.randrange(20)):
                    await asyncio.sleep(0)
            if rng.random() < 0.3:
                await DEEDS[rng.choice(list(DEEDS))](router, rng.choice(senders))
        await asyncio.wait(senders)
        await asyncio.sleep(200.0)
        await at_rest(router, watch, workers)
        for sender in senders:
            if not sender.cancelled():
                assert isinstance(sender.result(), Result | Refused)
