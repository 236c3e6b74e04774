"""The six worker processes of the demonstration, and the settings of a router in front of them."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass
from typing import Final

from pointsman.model.errors import UsageError
from pointsman.model.settings import (
    BreakerSettings,
    ClassSettings,
    PoolSettings,
    RetrySettings,
    ServerSettings,
    Settings,
    WorkerSettings,
)

_START_S = 10.0


@dataclass(slots=True, frozen=True)
class Actor:
    """One worker of the demonstration: its part and how it plays it."""

    id: str
    pool: str
    transport: str
    mean_s: float
    fail_from: int = 0
    fail_for_s: float = 0.0
    note: str = ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """Command line of its process, program first."""
        return (
            sys.executable,
            "-m",
            "pointsman.operations.worker_process",
            "http" if self.transport == "http" else "stdio",
            *("--id", self.id),
            *("--role", self.pool.removesuffix("s")),
            *("--mean-s", str(self.mean_s)),
            *("--fail-from", str(self.fail_from)),
            *("--fail-for-s", str(self.fail_for_s)),
        )


CAST: Final = (
    Actor("planner-1", "planners", "http", 0.25),
    Actor("planner-2", "planners", "http", 0.30),
    Actor("coder-1", "coders", "http", 0.10),
    Actor("coder-2", "coders", "subprocess", 0.12),
    Actor("coder-3", "coders", "http", 0.70, note="slow"),
    Actor("coder-4", "coders", "http", 0.09, fail_from=9, fail_for_s=5.0, note="fails for a while"),
)
"""Two strategic workers and four tactical ones; one is slow, one fails for a while and comes back."""


class Fleet:
    """The running worker processes."""

    def __init__(self) -> None:
        self._processes: list[Process] = []
        self._ports: dict[str, int] = {}

    async def start(self) -> None:
        """Start the workers that listen; those on stdio are started by the router itself.

        Raises:
            UsageError: a worker did not start within 10 s.
        """
        listening = [actor for actor in CAST if actor.transport == "http"]
        started = await asyncio.gather(*(_start(actor) for actor in listening))
        for actor, (process, port) in zip(listening, started, strict=True):
            self._processes.append(process)
            self._ports[actor.id] = port

    def settings(self, listen: str) -> Settings:
        """Return settings of a router in front of these workers. A breaker tries again soon, so that it can be seen."""
        breaker = BreakerSettings(failures=2, open_s=1.5)
        retry = RetrySettings(base_s=0.1)
        pools = {
            name: PoolSettings(
                workers=[self._worker(actor) for actor in CAST if actor.pool == name],
                breaker=breaker,
                retry=retry,
                redeliver="always",
                timeout_s=30.0,
            )
            for name in ("planners", "coders")
        }
        classes = {
            "strategic": ClassSettings(pool="planners", alias=["strong"], fallback=["coders"], cost=10.0),
            "tactical": ClassSettings(pool="coders", alias=["fast"], cost=1.0),
        }
        return Settings(server=ServerSettings(listen=listen, drain_s=20.0), pools=pools, classes=classes)

    def _worker(self, actor: Actor) -> WorkerSettings:
        if actor.transport == "http":
            url = f"http://127.0.0.1:{self._ports[actor.id]}/work"
            return WorkerSettings(id=actor.id, transport="http", url=url, max_in_flight=2)
        return WorkerSettings(id=actor.id, transport="subprocess", command=list(actor.arguments), max_in_flight=2)

    async def stop(self) -> None:
        """End the workers; closing their stdin is enough, and they are killed if it is not."""
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.close()
        for process in self._processes:
            try:
                async with asyncio.timeout(2.0):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def _start(actor: Actor) -> tuple[Process, int]:
    process = await asyncio.create_subprocess_exec(*actor.arguments, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_START_S):
            line = (await process.stdout.readline()).decode()
    except TimeoutError:
        line = ""
    word, _, port = line.partition(" ")
    if word != "listening":
        process.kill()
        await process.wait()
        raise UsageError(f"demo worker {actor.id} did not start: expected 'listening PORT', got {line!r}")
    return process, int(port)
