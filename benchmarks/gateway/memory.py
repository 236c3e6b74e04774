"""Whether memory stays where it is: over many requests, and over many streams that are hung up on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.gateway.faults import cancel, in_batches
from benchmarks.gateway.load import Tally, closed_loop
from benchmarks.gateway.payloads import Act
from benchmarks.gateway.speed import CONNECTIONS
from benchmarks.gateway.stage import Record, Stage, System, settle


@dataclass(frozen=True, slots=True)
class Soak:
    """How long memory is watched.

    Attributes:
        first: requests before the first look, when tables and pools have been filled.
        last: requests before the second look.
        cancels: streams hung up on after that.
        small_tables: whether the router under test keeps small tables, so that `first` fills them.
    """

    first: int
    last: int
    cancels: int
    small_tables: bool


QUICK: Final = Soak(first=8_000, last=16_000, cancels=200, small_tables=True)
SHORT: Final = Soak(first=12_000, last=30_000, cancels=400, small_tables=True)
LONG: Final = Soak(first=100_000, last=1_000_000, cancels=10_000, small_tables=False)

_REQUESTS_AT_A_TIME: Final = 5_000
_CANCELS_AT_A_TIME: Final = 200


async def measure_memory(stage: Stage, system: System, record: Record, soak: Soak, tick: Callable[[str], None]) -> None:
    """Look at the resident memory of a router before and after many requests, and after many cancelled streams."""
    await _send(stage, system, record, soak.first, tick)
    first, _ = _resident(system)
    await _send(stage, system, record, soak.last - soak.first, tick)
    last, _ = _resident(system)
    lost = 0
    for begin in range(0, soak.cancels if system.streams else 0, _CANCELS_AT_A_TIME):
        count = min(_CANCELS_AT_A_TIME, soak.cancels - begin)
        found = await in_batches(lambda: cancel(stage, system, Act.HEAD_ONLY), count)
        lost += found.count(None)
        stage.provider.forget()
        tick(f"memory: {begin + count:,} cancelled streams")
    after, proportional = _resident(system)
    record.put(
        system,
        0,
        memory_first_bytes=first,
        memory_growth_share=last / first - 1.0,
        memory_proportional_bytes=proportional,
        soak_first=soak.first,
        soak_requests=soak.last,
    )
    if system.streams:
        record.put(
            system, 0, memory_cancel_growth_share=after / last - 1.0, soak_cancels=soak.cancels, soak_cancels_lost=lost
        )


async def _send(stage: Stage, system: System, record: Record, count: int, tick: Callable[[str], None]) -> None:
    """Send so many requests, in parts, so that neither the tally nor the wait gets long."""
    for begin in range(0, count, _REQUESTS_AT_A_TIME):
        tally = Tally()
        calls = min(_REQUESTS_AT_A_TIME, count - begin)
        make = stage.calls(system, Act.PLAIN)
        await closed_loop(system.port, make, tally.take, connections=CONNECTIONS, calls=calls)
        record.blame(system, "memory", tally.faults)
        tick(f"memory: {begin + calls:,} of {count:,} requests")
    await settle()


def _resident(system: System) -> tuple[int, int]:
    assert system.tree is not None
    return system.tree.memory_bytes()
