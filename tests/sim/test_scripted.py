"""Scripted workers: good and bad exactly as their script says, from their own seed."""

from __future__ import annotations

import asyncio
import random

import pytest

from pointsman.sim import SimClock
from pointsman.sim.scripted import FAULTS, Fault, ScriptedFailure, ScriptedWorker

WORK = {"id": "m1"}


def worker(sigma: float = 0.0, faults: tuple[Fault, ...] = (), seed: int = 1) -> ScriptedWorker:
    """Return a worker that takes 2 s on average."""
    return ScriptedWorker("w", SimClock(), random.Random(seed), 2.0, sigma, faults)


async def times(of: ScriptedWorker, count: int) -> list[float]:
    """Let it serve some messages; return how long each took."""
    loop = asyncio.get_running_loop()
    taken = []
    for _ in range(count):
        began = loop.time()
        await of(WORK)
        taken.append(round(loop.time() - began, 6))
    return taken


async def test_without_spread_each_message_takes_the_mean() -> None:
    """And the answer says who did what."""
    of = worker()
    assert await times(of, 3) == [2.0, 2.0, 2.0]
    assert await of(WORK) == "w did m1"
    assert of.served == 4


async def test_with_spread_the_mean_stays() -> None:
    """Times differ, equal seeds give equal times, and the mean is the one asked for."""
    first, again, other = [await times(worker(1.0, seed=seed), 4000) for seed in (1, 1, 2)]
    assert first == again
    assert first != other
    assert len(set(first)) > 3900
    assert 1.8 < sum(first) / len(first) < 2.2


async def test_what_it_has_in_hand_is_counted() -> None:
    """Also the most there was at once, and after messages that were cancelled."""
    of = worker()
    tasks = [asyncio.ensure_future(of(WORK)) for _ in range(3)]
    await asyncio.sleep(1.0)
    assert (of.in_hand, of.most_at_once) == (3, 3)
    tasks[0].cancel()
    await asyncio.wait(tasks)
    assert (of.in_hand, of.most_at_once, of.served) == (0, 3, 2)


async def outcome(kind: str) -> tuple[str, float]:
    """Let a worker with this fault serve one message; return what came of it and after how long."""
    of = worker(faults=(Fault(kind, "w", 0.0, 1e9),))
    began = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(1000.0):
            await of(WORK)
        said = "answered"
    except ScriptedFailure as failure:
        said = "failed" if kind in str(failure) else str(failure)
    except TimeoutError:
        said = "hung"
    return said, asyncio.get_running_loop().time() - began


async def test_each_fault_shows_in_its_own_way() -> None:
    """Every kind there is."""
    seen = {kind: await outcome(kind) for kind in FAULTS}
    assert seen["fast_fail"][0] == "failed"
    assert seen["fast_fail"][1] == pytest.approx(0.001)
    assert seen["hang"] == ("hung", 1000.0)
    assert seen["grey"] == ("failed", 2.0)
    assert seen["slow"] == ("answered", 20.0)
    assert seen["die"][0] == "failed"
    assert 0.0 < seen["die"][1] < 2.0


async def test_a_fault_has_its_time_its_worker_and_its_rate() -> None:
    """Before and after it the worker is well; another worker's fault is not its own; half the time means half of it."""
    faults = (Fault("fast_fail", "w", 10.0, 20.0), Fault("fast_fail", "other", 0.0, 1e9))
    of = worker(faults=faults)
    failed = []
    for _ in range(12):
        began = asyncio.get_running_loop().time()
        try:
            await of(WORK)
        except ScriptedFailure:
            failed.append(began - 1_000_000.0)
            await asyncio.sleep(2.0)
    assert failed
    assert all(10.0 <= at < 20.0 for at in failed)
    grey = worker(faults=(Fault("fast_fail", "w", 0.0, 1e9, 0.5),))
    results = await asyncio.gather(*(grey(WORK) for _ in range(1000)), return_exceptions=True)
    assert 440 < sum(isinstance(result, ScriptedFailure) for result in results) < 560
