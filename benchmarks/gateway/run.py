"""One run: what is started, and in which order the parts are measured.

Rounds go through all systems, each round from another one on, so that what the machine does meanwhile hits all alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib.util
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.gateway import faults, memory, speed, streams
from benchmarks.gateway.router import Variant
from benchmarks.gateway.stage import OURS, Record, Stage, System

PARTS: Final = ("speed", "tail", "streams", "faults", "memory")

Tick = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, and for how long.

    Attributes:
        peers: names of the peers wanted.
        peers_dir: virtual environment in which some are looked for.
        loops: event loops that Pointsman is measured on.
        parts: of `PARTS`.
        rounds: of the parts that are timed.
        seconds: of each load in a round.
        tail_s: of the open loop.
        waves: of paced streams in a round.
        cancels: of each kind, for Pointsman; peers get a tenth of it.
        cuts: of each kind.
        soak: how memory is watched.
    """

    peers: tuple[str, ...]
    peers_dir: Path | None
    loops: tuple[str, ...]
    parts: tuple[str, ...]
    rounds: int
    seconds: float
    tail_s: float
    waves: int
    cancels: int
    cuts: int
    soak: memory.Soak


def loops_here() -> tuple[str, ...]:
    """Return the event loops that Pointsman can run on here."""
    return ("asyncio", "uvloop") if importlib.util.find_spec("uvloop") else ("asyncio",)


async def measure(stage: Stage, plan: Plan, record: Record, tick: Tick) -> None:
    """Start everything, measure all parts of the plan and put the figures into `record`.

    Raises:
        NotStarted: a Pointsman did not start; peers that do not are noted as missing.
    """
    await stage.open()
    tick("starting peers")
    await stage.add_peers(plan.peers, plan.peers_dir)
    for loop in plan.loops:
        tick(f"starting Pointsman on {loop}")
        stage.systems.append(await stage.add_router(Variant(loop), f"{OURS}-{loop}"))
    with _without_collector():
        for number in range(plan.rounds):
            await _round(stage, plan, record, number, tick)
        if "faults" in plan.parts:
            await _faults(stage, plan, record, tick)
        if "memory" in plan.parts:
            await _memory(stage, plan, record, tick)


async def _round(stage: Stage, plan: Plan, record: Record, number: int, tick: Tick) -> None:
    turn = number % len(stage.systems)
    systems = stage.systems[turn:] + stage.systems[:turn]

    async def each(what: str, one: Callable[[System], Awaitable[None]], of: list[System]) -> None:
        for system in of:
            tick(f"round {number + 1} of {plan.rounds}: {what}, {system.name}")
            gc.collect()
            await one(system)

    def longer(system: System) -> float:
        return plan.seconds * (2.0 if system.slow else 1.0)

    if "speed" in plan.parts or "tail" in plan.parts:
        await each("one connection", lambda s: speed.measure_latency(stage, s, record, number, longer(s)), systems)
        await each("32 connections", lambda s: speed.measure_cost(stage, s, record, number, longer(s)), systems)
    if "tail" in plan.parts:
        quick = [system for system in systems if system.tree is not None and not system.slow]
        await each("open loop", lambda s: speed.measure_tail(stage, s, record, number, plan.tail_s), quick)
    if "streams" in plan.parts:
        able = [system for system in systems if system.streams]

        def waves(system: System) -> int:
            return 1 if system.slow else plan.waves

        await each("paced streams", lambda s: streams.measure_paced(stage, s, record, number, waves(s)), able)
        await each("burst streams", lambda s: streams.measure_burst(stage, s, record, number, plan.seconds / 2), able)


async def _faults(stage: Stage, plan: Plan, record: Record, tick: Tick) -> None:
    for system in stage.systems:
        if not system.is_ours and system.tree is not None:
            tick(f"faults: {system.name}")
            await faults.measure_cancels(stage, system, record, max(1, plan.cancels // 10))
            if system.streams:
                await faults.measure_cuts(stage, system, record, max(1, plan.cuts // 4))
    for loop in plan.loops:
        tick(f"faults: Pointsman on {loop}")
        system = await stage.add_router(Variant(loop, faults=True), f"{OURS}-{loop}-faults")
        system.name = f"{OURS}-{loop}"
        await faults.measure_cancels(stage, system, record, plan.cancels)
        if system.streams:
            await faults.measure_cuts(stage, system, record, plan.cuts)
            await faults.measure_silence(stage, system, record, plan.cuts)
        await faults.measure_leftovers(system, record)
        stage.drop(system)


async def _memory(stage: Stage, plan: Plan, record: Record, tick: Tick) -> None:
    loop = plan.loops[-1]
    variant = Variant(loop, small_tables=plan.soak.small_tables)
    system = await stage.add_router(variant, f"{OURS}-{loop}-memory")
    system.name = f"{OURS}-{loop}"
    await memory.measure_memory(stage, system, record, plan.soak, tick)
    stage.drop(system)


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Keep Python's own garbage collection out of the load's time; it is run between the loads."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def run(stage: Stage, plan: Plan, record: Record, tick: Tick) -> None:
    """Measure, and stop what was started, whatever happens."""
    try:
        await measure(stage, plan, record, tick)
    finally:
        stage.close()
        await asyncio.sleep(0)
