"""More work than workers: priority, fairness and order through the whole stack, and nothing that starves or spins."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import pytest

from pointsman.embedded import Router
from pointsman.model.message import PRIORITIES
from pointsman.model.outcome import Refusal, Refused
from pointsman.model.result import Result
from pointsman.model.settings import (
    BreakerSettings,
    LimitSettings,
    PoolSettings,
    RetrySettings,
    Settings,
    ShedSettings,
    WorkerSettings,
)
from pointsman.sim import SimClock


class Serial:
    """One message a second, in the order in which they come."""

    def __init__(self) -> None:
        self.served: list[tuple[str, str]] = []

    async def __call__(self, work: Mapping[str, Any]) -> str:
        self.served.append((work["priority"], work["text"]))
        await asyncio.sleep(1.0)
        return "done"


def one_slot(worker: Any, **sections: Any) -> Router:
    """Return a router whose pool `coders` has one worker with one slot, and no limits."""
    coders = PoolSettings(workers=[WorkerSettings(id="w", transport="callable", max_in_flight=1)])
    settings = Settings(
        **{
            "pools": {"planners": PoolSettings(), "coders": coders},
            "limits": LimitSettings(rate_per_min=1_000_000, burst=1_000_000, flood_copies=1_000_000),
            "shed": ShedSettings(per_slot=1_000_000),
            **sections,
        }
    )
    return Router(settings, workers={"coders": {"w": worker}}, clock=SimClock())


async def send_all(router: Router, messages: list[dict[str, Any]]) -> list[Result | Refused]:
    """Send messages at once, in this order, behind one that keeps the worker busy; return what came of them."""
    first = asyncio.ensure_future(router.send("first", class_="tactical", client="first", ttl_s=1e5))
    await asyncio.sleep(0.5)
    senders = []
    for fields in messages:
        senders.append(asyncio.ensure_future(router.send(**{"class_": "tactical", "ttl_s": 1e5, **fields})))
        await asyncio.sleep(0)
    await first
    return await asyncio.gather(*senders)


async def test_higher_priorities_go_first_and_no_one_starves() -> None:
    """All 40 critical among the first 50; every level is served in any 155; nothing is lost."""
    rng = random.Random(3)
    messages = [{"message": f"{number}", "priority": PRIORITIES[number % 5]} for number in range(200)]
    rng.shuffle(messages)
    worker = Serial()
    async with one_slot(worker) as router:
        results = await send_all(router, messages)
    order = [priority for priority, _ in worker.served[1:]]
    assert all(isinstance(result, Result) and result.delivered for result in results)
    assert order.count("critical") == order[:50].count("critical") == 40
    assert order[:40].count("critical") >= 32
    assert set(order[:155]) == set(PRIORITIES)
    assert sorted(order) == sorted(PRIORITIES * 40)


async def test_a_loud_client_does_not_delay_a_quiet_one() -> None:
    """Two clients take turns, however many messages one of them sent before the other came."""
    messages = [{"message": f"loud {number}", "client": "loud"} for number in range(100)]
    messages += [{"message": f"quiet {number}", "client": "quiet"} for number in range(5)]
    worker = Serial()
    async with one_slot(worker) as router:
        await send_all(router, messages)
    order = [text for _, text in worker.served[1:]]
    assert all(f"quiet {number}" in order[:12] for number in range(5))


async def test_one_clients_messages_of_one_priority_come_in_order() -> None:
    """First in, first out, whatever the others send."""
    rng = random.Random(5)
    messages = [
        {"message": f"{number}", "client": rng.choice("abc"), "priority": rng.choice(PRIORITIES)}
        for number in range(150)
    ]
    worker = Serial()
    async with one_slot(worker) as router:
        await send_all(router, messages)
    place = {text: number for number, (_, text) in enumerate(worker.served)}
    for client in "abc":
        for priority in PRIORITIES:
            mine = [m["message"] for m in messages if (m["client"], m["priority"]) == (client, priority)]
            assert [place[text] for text in mine] == sorted(place[text] for text in mine)


@pytest.mark.parametrize("priority", PRIORITIES)
async def test_a_backlog_of_low_priority_turns_nobody_away_who_goes_before_it(priority: str) -> None:
    """Whoever would wait behind it in vain is told so at once; everyone else is served."""
    worker = Serial()
    async with one_slot(worker, shed=ShedSettings()) as router:
        await router.send("learn how long it takes", class_="tactical")
        backlog = [
            asyncio.ensure_future(router.send(f"{number}", class_="tactical", priority="low", ttl_s=1e5))
            for number in range(200)
        ]
        await asyncio.sleep(0.5)
        result = await router.send("x", class_="tactical", client="other", priority=priority, ttl_s=60.0)
        if priority in {"low", "bulk"}:
            assert isinstance(result, Refused)
            assert result.reason is Refusal.OVERLOADED
        else:
            assert isinstance(result, Result)
            assert result.delivered
        for sender in backlog:
            sender.cancel()
        await asyncio.wait(backlog)


async def picky_fleet(messages: int) -> tuple[list[Result | Refused], int]:
    """Send messages that a first worker fails at once, while all slots of the only other one are taken for an hour.

    Returns:
        What came of them, and how many turns of the loop the first minute took.
    """
    calls = 0

    async def fails_once(work: Mapping[str, Any]) -> str:
        nonlocal calls
        calls += 1
        if work["attempt"] == 1:
            raise ConnectionError("not today")
        return "done"

    async def hour(work: Mapping[str, Any]) -> str:
        await asyncio.sleep(3600.0)
        return "done"

    coders = PoolSettings(breaker=BreakerSettings(failures=1_000_000, failure_share=1.0), retry=RetrySettings())
    settings = Settings(
        pools={"planners": PoolSettings(), "coders": coders},
        limits=LimitSettings(rate_per_min=1_000_000, burst=1_000_000, flood_copies=1_000_000),
        shed=ShedSettings(per_slot=1_000_000),
    )
    async with Router(settings, workers={"coders": {"busy": hour}}, clock=SimClock()) as router:
        blockers = [asyncio.ensure_future(router.send("b", class_="tactical", timeout_s=1e5)) for _ in range(4)]
        await asyncio.sleep(1.0)
        await router.add_worker("coders", fails_once, id="free")
        senders = [asyncio.ensure_future(router.send(f"{n}", class_="tactical", ttl_s=1e5)) for n in range(messages)]
        loop: Any = asyncio.get_running_loop()
        before = loop.steps
        await asyncio.sleep(60.0)
        steps = loop.steps - before
        results = await asyncio.gather(*senders)
        for blocker in blockers:
            blocker.cancel()
        await asyncio.wait(blockers)
    return results, steps


async def test_a_message_that_avoids_a_worker_does_not_wait_for_ever() -> None:
    """The other worker is busy for an hour; after a few seconds the one that failed it once serves it."""
    (result,), _ = await picky_fleet(1)
    assert isinstance(result, Result)
    assert (result.delivered, result.worker) == (True, "free")
    assert result.attempts <= 8


async def test_messages_that_wait_for_another_worker_do_not_spin() -> None:
    """Fifty of them take a bounded number of looks each, and a loop turns no more than that needs."""
    results, steps = await picky_fleet(50)
    assert all(isinstance(result, Result) and result.delivered and result.attempts <= 8 for result in results)
    assert steps < 50 * 8 * 25
