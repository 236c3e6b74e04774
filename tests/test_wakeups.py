"""Nobody sleeps through what they wait for: a message is served as soon as somebody may, though all else is quiet."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from pointsman.embedded import Router
from pointsman.model.result import Result
from pointsman.model.settings import BreakerSettings, ClassSettings, PoolSettings, RetrySettings, Settings
from pointsman.sim import SimClock
from pointsman.transports.callable import WorkerBusy


class Timed:
    """A worker that takes a number of seconds, after saying no as told."""

    def __init__(self, takes_s: float = 0.0, *first: Exception) -> None:
        self.takes_s = takes_s
        self.first = list(first)
        self.calls = 0

    async def __call__(self, work: Mapping[str, Any]) -> str:
        self.calls += 1
        if self.first:
            raise self.first.pop(0)
        await asyncio.sleep(self.takes_s)
        return "done"


def helped(after_s: float, *on: str, pool: PoolSettings | None = None) -> Settings:
    """Return settings in which coders help planners."""
    strategic = ClassSettings(pool="planners", fallback=["coders"], fallback_on=list(on), fallback_after_s=after_s)
    pools = {"planners": pool or PoolSettings(), "coders": PoolSettings()}
    return Settings(classes={"strategic": strategic, "tactical": ClassSettings(pool="coders")}, pools=pools)


def now() -> float:
    """Return virtual time."""
    return asyncio.get_running_loop().time()


async def answered(router: Router, **fields: Any) -> Result:
    """Send a message; return the result, which must be a delivery."""
    result = await router.send("x", **{"class_": "strategic", **fields})
    assert isinstance(result, Result), result
    assert result.delivered, result
    return result


async def test_a_pool_that_becomes_busy_after_its_helper_has_looked_is_helped_in_time() -> None:
    """Five messages at once for four slots: the fifth goes to the helper when it may, though nobody rings again."""
    workers = {"planners": {"p": Timed(1000.0)}, "coders": {"w": Timed()}}
    async with Router(helped(2.0, "down", "busy"), workers=workers, clock=SimClock()) as router:
        began = now()
        senders = [asyncio.ensure_future(answered(router, timeout_s=2000.0)) for _ in range(5)]
        done, _ = await asyncio.wait(senders, return_when=asyncio.FIRST_COMPLETED)
        (first,) = done
        assert (first.result().worker, first.result().fallback) == ("w", True)
        assert 2.0 <= now() - began < 2.1
        await asyncio.wait(senders)


async def test_a_pool_with_more_to_do_than_it_can_is_helped_though_its_slots_come_free_all_the_time() -> None:
    """One second each, one after the other: busy is counted from the first, not from the latest."""
    workers = {"planners": {"p": Timed(1.0)}, "coders": {"w": Timed()}}
    settings = helped(5.5, "down", "busy")
    async with Router(settings, workers=workers, clock=SimClock()) as router:
        began = now()
        senders = [asyncio.ensure_future(answered(router, client=f"c{number}")) for number in range(60)]
        results = await asyncio.gather(*senders)
        assert sum(result.fallback for result in results) >= 60 - 4 * 6
        assert now() - began < 7.0


async def test_a_paused_queue_is_served_as_soon_as_it_is_resumed() -> None:
    """By whoever resumes it: nobody else has to ring."""
    async with Router(workers={"coders": {"w": Timed()}}, clock=SimClock()) as router:
        await router.house.engine.pause("coders")
        waiting = asyncio.ensure_future(answered(router, class_="tactical"))
        await asyncio.sleep(100.0)
        assert not waiting.done()
        await router.house.engine.resume("coders")
        await asyncio.sleep(0.01)
        assert waiting.done()
        await waiting


async def test_a_worker_that_was_busy_is_asked_again_when_it_wished() -> None:
    """At that time, not a moment before, and nobody has to ring."""
    worker = Timed(0.0, WorkerBusy(7.0))
    async with Router(workers={"coders": {"w": worker}}, clock=SimClock()) as router:
        began = now()
        await answered(router, class_="tactical")
        assert 7.0 <= now() - began < 7.1
        assert worker.calls == 2


async def test_a_broken_worker_is_tried_again_after_its_pause() -> None:
    """The only message waits for the only worker; each pause is longer than the one before, and ends."""
    worker = Timed(0.0, *(ConnectionError("no") for _ in range(4)))
    pool = PoolSettings(
        breaker=BreakerSettings(failures=2, open_s=5.0, successes=1), retry=RetrySettings(base_s=0.01, max_attempts=10)
    )
    settings = Settings(pools={"planners": PoolSettings(), "coders": pool})
    async with Router(settings, workers={"coders": {"w": worker}}, clock=SimClock()) as router:
        began = now()
        result = await answered(router, class_="tactical")
        assert result.attempts == 5
        assert 4.0 + 8.0 + 16.0 - 3.0 <= now() - began <= 6.0 + 12.0 + 24.0 + 3.0


async def test_a_retry_for_a_pool_that_has_gone_down_goes_to_the_helper() -> None:
    """Home is down by the time the retry is due: whoever helps is told of it."""
    pool = PoolSettings(breaker=BreakerSettings(failures=1, open_s=300.0), retry=RetrySettings(base_s=3.0))
    workers = {"planners": {"p": Timed(0.0, ConnectionError("no"))}, "coders": {"w": Timed()}}
    async with Router(helped(0.5, "down", pool=pool), workers=workers, clock=SimClock()) as router:
        began = now()
        result = await answered(router)
        assert (result.worker, result.fallback, result.attempts) == ("w", True, 2)
        assert now() - began < 3.1


async def test_a_helper_stops_helping_when_home_is_back() -> None:
    """A message for a pool that can serve it never leaves."""
    workers = {"planners": {"p": Timed()}, "coders": {"w": Timed()}}
    async with Router(helped(0.0, "down"), workers=workers, clock=SimClock()) as router:
        router.house.fleet.drain("p")
        assert (await answered(router)).fallback
        router.house.fleet.drain("p", draining=False)
        assert [(await answered(router)).fallback for _ in range(5)] == [False] * 5


async def test_an_idle_router_sleeps() -> None:
    """An hour without messages takes a few thousand turns of the loop, not millions."""
    clock = SimClock()
    async with Router(helped(5.0, "down", "busy"), workers={"coders": {"w": Timed()}}, clock=clock) as router:
        await answered(router, class_="tactical")
        loop: Any = asyncio.get_running_loop()
        steps = loop.steps
        await asyncio.sleep(3600.0)
        assert loop.steps - steps < 8000
