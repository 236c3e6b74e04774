"""Many threads on one `BlockingRouter` and many tasks on one `Router`: nothing lost, nothing doubled, no deadlock."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest

from pointsman.blocking import BlockingRouter
from pointsman.embedded import Router
from pointsman.model.result import Result
from pointsman.model.settings import LimitSettings, Settings, ShedSettings

THREADS = 32
TASKS = 1000
MESSAGES = 50_000
WATCHDOG_S = 120.0


def settings() -> Settings:
    """Return settings whose limits do not get in the way, and which refuse nobody because the machine was slow."""
    return Settings(
        limits=LimitSettings(rate_per_min=1_000_000_000, burst=1_000_000_000),
        shed=ShedSettings(per_slot=1_000_000),
    )


class Counting:
    """A worker that counts what it is given."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    async def __call__(self, work: Mapping[str, Any]) -> str:
        self.seen[work["text"]] += 1
        await asyncio.sleep(0)
        return str(work["text"])


def test_threads_share_a_blocking_router() -> None:
    """32 threads send 50,000 messages through one router; each gets its own answer, none is done twice."""
    worker = Counting()
    per_thread = MESSAGES // THREADS
    answered: Counter[str] = Counter()
    lock = threading.Lock()

    def send_many(thread: int) -> None:
        mine: Counter[str] = Counter()
        for number in range(0, per_thread, 8):
            texts = [f"{thread}/{number + step}" for step in range(min(8, per_thread - number))]
            futures = [router.begin(text, client=f"t{thread}", class_="tactical") for text in texts]
            for text, future in zip(texts, futures, strict=True):
                result = future.result(WATCHDOG_S)
                assert isinstance(result, Result)
                assert result.text == text
                mine[text] += 1
        with lock:
            answered.update(mine)

    with (
        BlockingRouter(settings(), workers={"coders": {"w": worker}}) as router,
        ThreadPoolExecutor(THREADS) as threads,
    ):
        done, pending = wait([threads.submit(send_many, thread) for thread in range(THREADS)], timeout=WATCHDOG_S)
        assert not pending, "deadlock: threads still wait"
        for future in done:
            future.result()
        counts = router.counts()
    expected = {f"{thread}/{number}": 1 for thread in range(THREADS) for number in range(per_thread)}
    assert answered == expected
    assert worker.seen == expected
    assert (counts.delivered, counts.waiting, counts.in_flight) == (THREADS * per_thread, 0, 0)


@pytest.mark.real_loop(timeout_s=WATCHDOG_S)
async def test_tasks_share_a_router() -> None:
    """1,000 tasks send 50,000 messages through one router; each is answered once, none is done twice."""
    worker = Counting()
    answered: Counter[str] = Counter()

    async def send_many(router: Router, task: int) -> None:
        for number in range(MESSAGES // TASKS):
            text = f"{task}/{number}"
            result = await router.send(text, client=f"t{task % 50}", class_="tactical")
            assert isinstance(result, Result)
            assert result.text == text
            answered[text] += 1

    async with Router(settings(), workers={"coders": {"w": worker}}) as router:
        await asyncio.gather(*(send_many(router, task) for task in range(TASKS)))
        counts = await router.counts()
        pool = router.house.pools["coders"]
        assert pool.free == pool.slots
    assert len(answered) == MESSAGES
    assert set(answered.values()) == {1}
    assert worker.seen == answered
    assert (counts.delivered, counts.waiting, counts.in_flight) == (MESSAGES, 0, 0)
