"""What a plain request costs and how long it takes: one connection, 32, and the tail at half of the maximum."""

from __future__ import annotations

import time

from benchmarks.gateway.figures import percentile
from benchmarks.gateway.load import Tally, closed_loop, open_loop
from benchmarks.gateway.payloads import Act
from benchmarks.gateway.stage import Record, Stage, System, settle

CONNECTIONS = 32
TAIL_CONNECTIONS = 64


async def measure_latency(stage: Stage, system: System, record: Record, number: int, seconds: float) -> None:
    """One connection, one request at a time."""
    tally = Tally()
    before = system.cpu_ns()
    await closed_loop(system.port, stage.calls(system, Act.PLAIN), tally.take, connections=1, seconds=seconds)
    cpu_us = (system.cpu_ns() - before) / 1e3
    record.blame(system, "one connection", tally.faults)
    if tally.good:
        record.put(
            system,
            number,
            p50_us=percentile(tally.took_s, 0.50) * 1e6,
            p95_us=percentile(tally.took_s, 0.95) * 1e6,
            p99_us=percentile(tally.took_s, 0.99) * 1e6,
            single_cpu_us=cpu_us / tally.good,
        )
    await settle()


async def measure_cost(stage: Stage, system: System, record: Record, number: int, seconds: float) -> None:
    """32 connections, each with one request at a time."""
    tally = Tally()
    before, waited_before, own_before = system.cpu_ns(), system.waited_ns(), time.process_time()
    wall_s = await closed_loop(
        system.port, stage.calls(system, Act.PLAIN), tally.take, connections=CONNECTIONS, seconds=seconds
    )
    cpu_us = (system.cpu_ns() - before) / 1e3
    own_s = time.process_time() - own_before
    record.blame(system, f"{CONNECTIONS} connections", tally.faults)
    if tally.good:
        record.put(system, number, cpu_us=cpu_us / tally.good, rate=tally.good / wall_s, load_busy_share=own_s / wall_s)
        if cpu_us:
            record.put(
                system,
                number,
                core_rate=tally.good / cpu_us * 1e6,
                busy_share=cpu_us / 1e6 / wall_s,
                waited_share=(system.waited_ns() - waited_before) / 1e9 / wall_s,
            )
    await settle()


async def measure_tail(stage: Stage, system: System, record: Record, number: int, seconds: float) -> None:
    """Poisson arrivals at half of the rate that 32 connections reached in this round."""
    most = record.series(system.name, "rate").get(number)
    if most is None:
        return
    tally = Tally()
    cpu_before, waited_before = system.cpu_ns(), system.waited_ns()
    wall_s = await open_loop(
        system.port,
        stage.calls(system, Act.PLAIN),
        tally.take,
        rate=most / 2,
        seconds=seconds,
        connections=TAIL_CONNECTIONS,
        metronome=stage.metronome,
        rng=stage.rng,
    )
    record.blame(system, "half of its maximum", tally.faults)
    if tally.good:
        record.put(
            system,
            number,
            tail_rate=(tally.good + tally.failed) / wall_s,
            tail_p50_us=percentile(tally.took_s, 0.50) * 1e6,
            tail_p99_us=percentile(tally.took_s, 0.99) * 1e6,
            tail_failed=tally.failed,
            tail_cpu_us=(system.cpu_ns() - cpu_before) / 1e3 / tally.good,
            tail_waited_share=(system.waited_ns() - waited_before) / 1e9 / wall_s,
        )
    await settle()
