"""Closed-loop load for `pointsman bench`: so many senders, each with one message in hand at a time.

A closed loop shows what a router can do; as each sender waits for its reply, it does not show how latency grows when
senders do not wait.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from pointsman.cli import options
from pointsman.cli.client import API, Client, Problem, Unreachable
from pointsman.embedded import Router
from pointsman.model.outcome import Refused
from pointsman.model.settings import LimitSettings, PoolSettings, Settings, WorkerSettings
from pointsman.runtime.clock import SystemClock

_LOOK_S: Final = 0.1
_WORKER: Final = "bench-worker"
_TEXT: Final = "Benchmark message {sender}-{number}: rename the variable x to y in the function that reads the file."

Progress = Callable[[float], None]
"""Told how many seconds have gone since it was told last."""


class Figures(msgspec.Struct):
    """What was measured.

    Attributes:
        took_s: length of the measurement, seconds.
        latencies_s: of each delivered message, seconds, in no order.
        others: messages that were not delivered, by code.
    """

    took_s: float = 0.0
    latencies_s: list[float] = msgspec.field(default_factory=list)
    others: Counter[str] = msgspec.field(default_factory=Counter)

    def summary(self) -> dict[str, Any]:
        """Return throughput and latencies as a JSON object; latencies are None where nothing was delivered."""
        ordered = sorted(self.latencies_s)
        latency_ms = {name: _percentile_ms(ordered, share) for name, share in _SHARES.items()}
        return {
            "seconds": round(self.took_s, 3),
            "delivered": len(ordered),
            "per_second": round(len(ordered) / self.took_s, 1) if self.took_s else 0.0,
            "latency_ms": latency_ms,
            "not_delivered": dict(self.others),
        }


_SHARES: Final[Mapping[str, float]] = {"p50": 0.50, "p95": 0.95, "p99": 0.99, "max": 1.0}


def _percentile_ms(ordered: list[float], share: float) -> float | None:
    """Return the smallest value that `share` of all do not exceed."""
    if not ordered:
        return None
    place = max(0, math.ceil(share * len(ordered)) - 1)
    return round(ordered[place] * 1000.0, 3)


async def in_process(seconds: float, senders: int, progress: Progress) -> Figures:
    """Measure a router in this process, with a worker that answers at once and limits that never bite."""
    figures, clock = Figures(), SystemClock()
    settings = _unlimited(senders)
    async with Router(settings, workers={"coders": {_WORKER: _answer}}, clock=clock) as router:
        began = clock.monotonic()
        until = began + seconds

        async def send(sender: int) -> None:
            number = 0
            while (now := clock.monotonic()) < until:
                number += 1
                result = await router.send(_TEXT.format(sender=sender, number=number), **{"class": "tactical"})
                if isinstance(result, Refused):
                    figures.others[result.reason.value] += 1
                elif result.delivered:
                    figures.latencies_s.append(clock.monotonic() - now)
                else:
                    figures.others[result.status.value] += 1

        async def watch() -> None:
            told_s = 0.0
            while told_s < seconds:
                await clock.sleep_until(min(until, clock.monotonic() + _LOOK_S))
                passed_s = min(seconds, clock.monotonic() - began)
                progress(passed_s - told_s)
                told_s = passed_s

        await asyncio.gather(watch(), *(send(sender) for sender in range(senders)))
        figures.took_s = clock.monotonic() - began
    return figures


async def _answer(message: dict[str, Any]) -> str:
    return "ok"


def _unlimited(senders: int) -> Settings:
    most = 1_000_000_000
    worker = WorkerSettings(id=_WORKER, transport="callable", max_in_flight=max(1, senders))
    pools = Settings().pools
    return Settings(
        limits=LimitSettings(rate_per_min=most, burst=most),
        pools={**pools, "coders": PoolSettings(workers=[worker])},
    )


def over_http(url: str, seconds: float, senders: int, client: str, progress: Progress) -> Figures:
    """Measure a running router from outside, with a thread and a connection for each sender.

    Raises:
        Unreachable: it cannot be reached before anything is measured.
    """
    # Senders run in threads of their own, which know no command.
    key = options.given_key()
    Client(url, key=key).get("/livez")
    figures, clock, stop = Figures(), SystemClock(), threading.Event()
    until = clock.monotonic() + seconds

    def send(sender: int) -> None:
        connection = Client(url, timeout_s=seconds + 60.0, keep_alive=True, key=key)
        number = 0
        while (now := clock.monotonic()) < until and not stop.is_set():
            number += 1
            code = _send_one(connection, _TEXT.format(sender=sender, number=number), client)
            if code:
                figures.others[code] += 1
            else:
                figures.latencies_s.append(clock.monotonic() - now)
        connection.close()

    began = clock.monotonic()
    threads = [threading.Thread(target=send, args=(sender,), daemon=True) for sender in range(senders)]
    for thread in threads:
        thread.start()
    try:
        _wait(threads, seconds, progress)
    finally:
        stop.set()
    figures.took_s = clock.monotonic() - began
    return figures


def _wait(threads: list[threading.Thread], seconds: float, progress: Progress) -> None:
    told_s = 0.0
    for thread in threads:
        while thread.is_alive():
            thread.join(_LOOK_S)
            step = min(_LOOK_S, seconds - told_s)
            told_s += step
            progress(step)


def _send_one(connection: Client, text: str, client: str) -> str:
    """Send a message; return an empty string where it was delivered, else the code of what came instead."""
    try:
        answer = connection.post(f"{API}/messages", {"text": text}, headers={"x-pointsman-client": client})
    except (Problem, Unreachable) as error:
        return error.code
    return "" if answer.get("status") == "delivered" else str(answer.get("status"))
