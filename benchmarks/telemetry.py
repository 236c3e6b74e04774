"""What telemetry costs: a message, a page with 200 workers, a page a second beside messages, invented names."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.report import figure, heading, percentile
from pointsman.assembly import House
from pointsman.core.keys import NO_KEYS
from pointsman.model.decision import Classification
from pointsman.model.events import Admitted, AttemptEnded, AttemptStarted, Ended, MessageRefused, WorkerJoined
from pointsman.model.message import Envelope, Message
from pointsman.model.outcome import Delivered, Refusal, Refused
from pointsman.model.settings import (
    LimitSettings,
    PoolSettings,
    ServerSettings,
    Settings,
    WorkerSettings,
)
from pointsman.model.states import Status
from pointsman.model.usage import Usage
from pointsman.runtime.observers import Observers
from pointsman.runtime.slo import ServiceLevels
from pointsman.serving import Service, open_service
from pointsman.telemetry.metrics import Metrics

WORKERS = 200
PLENTY = LimitSettings(rate_per_min=1_000_000_000, burst=1_000_000_000, flood_copies=1_000_000_000)


def measure() -> None:
    """Print the figures."""
    heading("Telemetry")
    _message()
    asyncio.run(_page())
    asyncio.run(_beside())
    _names()


def _events(worker: str) -> list[Any]:
    """Return what a message that is delivered at once makes happen."""
    envelope = Envelope(
        id="0" * 32,
        message=Message(text="x"),
        client="c",
        received_at=10.0,
        received_wall=0.0,
        classification=Classification("tactical", 0.9, {"tactical": 0.9}, "rule"),
        pool="coders",
        attempt=1,
        admission_s=0.25,
    )
    return [
        Admitted(11.0, envelope, 0.0002, 0.0001),
        AttemptStarted(11.0, envelope, "coders"),
        AttemptEnded(12.0, envelope, "coders", worker, 1.0, 1.0, Delivered(worker), Usage(100, 0, 0, 50), None),
        Ended(12.0, envelope, Status.DELIVERED, None, "", 0.0003, 1.0),
    ]


def _message(rounds: int = 20_000) -> None:
    metrics = Metrics(Settings())
    metrics.observe(WorkerJoined(0.0, "coders", "w"))
    figure("metrics of a message", _each(metrics.listeners, _events("w"), rounds), "us", 6)
    candidate = _events("w")
    candidate[0].envelope.lane = "candidate"
    figure("  the same, of a rollout's candidate", _each(metrics.listeners, candidate, rounds), "us", 6)
    refused = [MessageRefused(11.0, candidate[0].envelope, Refused(Refusal.FLOODING, "x"))]
    figure("  of a refused one", _each(metrics.listeners, refused, rounds), "us", 6)


def _each(listeners: dict[type, Callable[[Any], None]], events: list[Any], rounds: int) -> float:
    """Return microseconds of CPU for these events, best of seven."""
    calls = [(listeners[type(event)], event) for event in events if type(event) in listeners]
    best = float("inf")
    for _ in range(7):
        began = time.process_time()
        for _ in range(rounds):
            for call, event in calls:
                call(event)
        best = min(best, (time.process_time() - began) / rounds * 1e6)
    return best


def _all(observers: Observers, rounds: int) -> float:
    """Return microseconds of CPU for everything that is told of a message, best of seven."""
    events = _events("coder-1")
    best = float("inf")
    for _ in range(7):
        began = time.process_time()
        for _ in range(rounds):
            for event in events:
                observers.emit(event)
        best = min(best, (time.process_time() - began) / rounds * 1e6)
    return best


def _house(workers: int = WORKERS) -> House:
    fleet = [WorkerSettings(id=f"coder-{place}", transport="callable", max_in_flight=4) for place in range(workers)]
    settings = Settings(
        server=ServerSettings(listen="127.0.0.1:0"),
        pools={"planners": PoolSettings(), "coders": PoolSettings(workers=fleet)},
        limits=PLENTY,
    )
    return House(settings, local={worker.id: _work for worker in fleet})


async def _work(message: object) -> str:
    return "done"


async def _page(rounds: int = 30) -> None:
    house = _house()
    service = Service(house, keys=lambda: NO_KEYS)
    await house.start()
    alone = Observers()
    ServiceLevels(house.settings, house.clock, Path(), alone)
    for kind, count in Metrics(house.settings).listeners.items():
        alone.add(count, kind)
    alone.emit(WorkerJoined(0.0, "coders", "coder-1"))
    figure("metrics and service levels of a message, with its emission", _all(alone, 20_000), "us", 6)
    figure("  all that is told of a message, records and accounts included", _all(house.observers, 20_000), "us")
    for place in range(WORKERS):
        for event in _events(f"coder-{place}"):
            house.emit(event)
    took = []
    body = b""
    for _ in range(rounds):
        began = time.process_time()
        body, _ = await service.exposition("")
        took.append((time.process_time() - began) * 1e3)
    await house.stop(0.0)
    lines = sum(not line.startswith(b"#") for line in body.splitlines())
    figure(f"page with {WORKERS} workers, CPU, p50", sorted(took)[len(took) // 2], "ms", 10)
    figure("  the first, which adds up the objectives", took[0], "ms")
    figure("  lines of it", lines, "", 5000)
    figure("  bytes of it", len(body) / 1000, "kB")


async def _beside(seconds: float = 8.0) -> None:
    """Print what a page a second does to messages that come one after the other."""
    house = _house()
    async with open_service(house, keys=lambda: NO_KEYS) as url:
        service_port = int(url.rpartition(":")[2])
        alone, scraped = [], []
        for _ in range(3):
            alone += await _latencies(house, seconds / 6, None)
            scraped += await _latencies(house, seconds / 6, service_port)
    p95 = [percentile(sorted(one), 0.95) * 1e3 for one in (alone, scraped)]
    figure("message, p95, nobody scrapes", p95[0], "ms")
    figure("message, p95, a page a second", p95[1], "ms")
    figure("  more", p95[1] - p95[0], "ms", 1)


async def _latencies(house: House, seconds: float, port: int | None) -> list[float]:
    scraping = asyncio.create_task(_scrape(port)) if port else None
    took: list[float] = []
    ends = time.perf_counter() + seconds
    number = 0
    while (began := time.perf_counter()) < ends:
        number += 1
        await house.core.send(house.envelopes.wrap(Message(text=f"fix typo {number}"), client="c"), None)
        took.append(time.perf_counter() - began)
        await asyncio.sleep(0.001)
    if scraping:
        scraping.cancel()
        await asyncio.gather(scraping, return_exceptions=True)
    return took


async def _scrape(port: int) -> None:
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
        await reader.read()
        writer.close()
        await asyncio.sleep(1.0)


def _names(count: int = 100_000) -> None:
    tracemalloc.start()
    metrics = Metrics(Settings())
    template = _events("w")[0].envelope
    for place in range(count):
        name = f"invented-{place}"
        metrics.observe(WorkerJoined(0.0, name, name))
        metrics.observe(AttemptEnded(12.0, template, name, name, 1.0, 1.0, Delivered(name)))
        metrics.observe(MessageRefused(11.0, template, Refused(Refusal.HARMFUL, "", message_class=name)))
    held_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    series = sum(len(one.slots) for one in metrics._registry.series.values())
    dropped = sum(metrics._registry.known.dropped.values())
    figure(f"series after {count:,} invented names", series, "", 5000)
    figure("  memory", held_bytes / 1e6, "MB", 20)
    figure("  observations counted as dropped", dropped, "")
