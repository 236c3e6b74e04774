"""What admission costs: from receipt to enqueued, with and without the classifier, layer by layer."""

from __future__ import annotations

import asyncio
import time

from benchmarks.report import calibrate, figure, heading, percentile
from pointsman import stack
from pointsman.assembly import House
from pointsman.model.message import Message
from pointsman.model.outcome import Accepted
from pointsman.model.settings import EngineSettings, LimitSettings, PoolSettings, Settings, WorkerSettings

TEXT = (
    "Please look at the payment service and write a function that checks whether a card number is valid. It should"
    " return true or false, ignore spaces and dashes, and have a few tests for it."
)
BATCH = 400


def settings() -> Settings:
    """Return settings that refuse nothing here."""
    workers = [WorkerSettings(id=name, transport="callable", max_in_flight=1_000_000) for name in ("one", "two")]
    return Settings(
        pools={"planners": PoolSettings(workers=workers[:1]), "coders": PoolSettings(workers=workers[1:])},
        limits=LimitSettings(rate_per_min=1_000_000_000, burst=1_000_000_000, flood_copies=1_000_000_000),
        engine=EngineSettings(max_queued=10_000_000),
    )


def texts(count: int) -> list[str]:
    """Return different messages of about 200 characters."""
    return [f"{TEXT} Ticket {number:06d}." for number in range(count)]


async def measure(rounds: int = 60) -> None:
    """Print p50 and p99 of one admission, and the cost of each layer."""
    heading("Admission, 200-character message")
    full: list[float] = []
    bare: list[float] = []
    split: dict[str, list[float]] = {}
    pace: list[float] = []
    for number in range(rounds):
        pace.append(calibrate() if number % 10 == 0 else pace[-1])
        full.extend(await _timed(None))
        bare.extend(await _timed("Classify"))
        if number < 12:
            for name, cost in (await _split()).items():
                split.setdefault(name, []).append(cost)
    full.sort()
    bare.sort()
    figure("validate to enqueue, without the classifier, p50", percentile(bare, 0.5) * 1e6, "us", 40)
    figure("with the classifier, p50", percentile(full, 0.5) * 1e6, "us", 60)
    figure("with the classifier, p99", percentile(full, 0.99) * 1e6, "us", 300)
    for name, costs in split.items():
        figure(f"  of which {name}", sorted(costs)[len(costs) // 2], "us")


async def _house() -> House:
    """Return a router that admits and never dispatches, so that only admission is measured."""
    house = House(settings(), local={"one": _idle, "two": _idle})
    await house.engine.open()
    for name, pool in house.settings.pools.items():
        await house.fleet.join(name, pool.workers[0], "file")
    house.doors_open = True
    return house


async def _idle(work: object) -> str:
    return "ok"


async def _timed(without: str | None) -> list[float]:
    house = await _house()
    layers = tuple(one for one in house.admission_layers() if type(one).__name__ != without)
    admit = stack.build(layers, house.admission_leaf())
    took: list[float] = []
    for text in texts(BATCH):
        envelope = house.envelopes.wrap(Message(text=text), client="bench")
        envelope.pool = "coders"
        begun = time.perf_counter()
        receipt = await admit(envelope)
        took.append(time.perf_counter() - begun)
        assert isinstance(receipt, Accepted), receipt
    return took


async def _split() -> dict[str, float]:
    """Return microseconds of each layer: the stack with it less the stack without it, taken from the inside out."""
    house = await _house()
    layers = house.admission_layers()
    costs: dict[str, float] = {}
    inner_us = 0.0
    for depth in range(len(layers), -1, -1):
        admit = stack.build(layers[depth:], house.admission_leaf())
        envelopes = [house.envelopes.wrap(Message(text=text), client="bench") for text in texts(BATCH)]
        for envelope in envelopes:
            house.validator.check(envelope, envelope.received_at)
            envelope.pool = "coders"
        begun = time.process_time()
        for envelope in envelopes:
            await admit(envelope)
        total_us = (time.process_time() - begun) / BATCH * 1e6
        name = "Enqueue" if depth == len(layers) else type(layers[depth]).__name__
        costs[name] = max(0.0, total_us - inner_us)
        inner_us = total_us
    return dict(reversed(costs.items()))


if __name__ == "__main__":
    asyncio.run(measure())
