"""The whole way in process: send to a `callable` worker and back, one at a time and many at once."""

from __future__ import annotations

import asyncio
import time

from benchmarks.admission import texts
from benchmarks.report import calibrate, figure, heading, percentile
from pointsman.embedded import Router
from pointsman.model.result import Result
from pointsman.model.settings import LimitSettings, PoolSettings, Settings, WorkerSettings


async def _worker(work: object) -> str:
    return "done"


def settings() -> Settings:
    """Return one pool with 8 local workers of 16 slots each."""
    workers = [WorkerSettings(id=f"w{number}", transport="callable", max_in_flight=16) for number in range(8)]
    return Settings(
        pools={"planners": PoolSettings(), "coders": PoolSettings(workers=workers)},
        limits=LimitSettings(rate_per_min=1_000_000_000, burst=1_000_000_000, flood_copies=1_000_000_000),
    )


async def measure(rounds: int = 12, batch: int = 1000) -> None:
    """Print p50 one at a time, and messages a second with 64 senders, rounds of both in turn."""
    heading("Round trip in process, callable worker, full stack")
    local = {f"w{number}": _worker for number in range(8)}
    took: list[float] = []
    rates: list[float] = []
    cpu: list[float] = []
    async with Router(settings(), workers={"coders": local}) as router:
        messages = texts(batch)
        for number in range(rounds):
            if number % 4 == 0:
                calibrate()
            for text in messages:
                begun = time.perf_counter()
                result = await router.send(text, class_="tactical")
                took.append(time.perf_counter() - begun)
                assert isinstance(result, Result), result
                assert result.delivered, result
            begun, begun_cpu = time.perf_counter(), time.process_time()
            await asyncio.gather(*(_sender(router, messages[at::64]) for at in range(64)))
            rates.append(batch / (time.perf_counter() - begun))
            cpu.append((time.process_time() - begun_cpu) / batch * 1e6)
    took.sort()
    rates.sort()
    cpu.sort()
    figure("one at a time, p50", percentile(took, 0.5) * 1e6, "us", 120)
    figure("one at a time, p99", percentile(took, 0.99) * 1e6, "us")
    figure("64 senders, median", rates[len(rates) // 2], "messages/s", 10_000, at_least=True)
    figure("64 senders, best round", rates[-1], "messages/s")
    figure("64 senders, CPU of one message, median", cpu[len(cpu) // 2], "us", 100)


async def _sender(router: Router, messages: list[str]) -> None:
    for text in messages:
        result = await router.send(text, class_="tactical")
        assert isinstance(result, Result), result


if __name__ == "__main__":
    asyncio.run(measure())
