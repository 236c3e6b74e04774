"""A running service in a thread of its own, in front of a provider; tests reach it by HTTP only."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from pointsman.assembly import House
from pointsman.config.secrets import Secrets
from pointsman.model.settings import (
    BreakerSettings,
    ClassSettings,
    LimitSettings,
    PoolSettings,
    RetrySettings,
    ServerSettings,
    Settings,
    ValidationSettings,
    WorkerSettings,
)
from pointsman.serving import open_service
from tests.compat.raw import RawClient

START_S = 20.0
LOOKS = 5_000
"""How often the state of the workers is asked for before a test gives up; each time is a whole request."""

NO_LIMITS = LimitSettings(rate_per_min=1_000_000_000, burst=1_000_000_000, flood_copies=1_000_000_000)
NEVER_OPEN = BreakerSettings(failures=1_000_000_000, min_calls=1_000_000_000)
ONCE = RetrySettings(max_attempts=1, base_s=0.01, jitter_share=0.0)
TTL_S = 8.0
"""What waits for ever ends after so long, so that one failed test does not hold up all."""


class Running:
    """A service that runs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str) -> Any:
        """Return the value that a path of the native API answers."""
        with RawClient(self.url) as client:
            answer = client.ask(path, b"", method="GET")
        assert answer.status == 200, answer
        return msgspec.json.decode(answer.body)

    def workers(self) -> list[dict[str, Any]]:
        """Return the state of all workers."""
        found: list[dict[str, Any]] = self.get("/api/v1/workers")["workers"]
        return found

    def in_flight(self) -> int:
        """Return how many messages all workers together have in hand."""
        return sum(worker["in_flight"] for worker in self.workers())

    def wait_for_counts(self, reached: Callable[[dict[str, int]], bool]) -> None:
        """Ask for the accounting until it is so, which must be soon."""
        counts: dict[str, int] = {}
        for _ in range(LOOKS):
            counts = self.get("/api/v1/status")["counts"]
            if reached(counts):
                return
        raise AssertionError(f"never reached: {counts}")

    def must_be_idle(self) -> None:
        """Fail unless every worker has given back its slots, and nothing waits."""
        for _ in range(LOOKS):
            if not self.in_flight():
                break
        else:
            raise AssertionError(f"never idle: {self.workers()}")
        self.wait_for_counts(lambda counts: not counts["waiting"] and not counts["in_flight"])


def worker(name: str, url: str, protocol: str, **more: Any) -> WorkerSettings:
    """Return a worker that speaks a protocol, bears the name of its model, and hands on the client's own key."""
    known: dict[str, Any] = {"auth": "passthrough", "max_in_flight": 64, "model": name}
    return WorkerSettings(id=f"at-{name}", transport=protocol, url=url, **{**known, **more})


def pool(*workers: WorkerSettings, **more: Any) -> PoolSettings:
    """Return a pool that never retries and whose breakers never open, unless told otherwise."""
    known: dict[str, Any] = {"retry": ONCE, "breaker": NEVER_OPEN, "balancer": "round_robin"}
    return PoolSettings(workers=list(workers), **{**known, **more})


def settings(pools: Mapping[str, PoolSettings], folder: Path, **sections: Any) -> Settings:
    """Return settings with these pools, each with a class of the same name; the first two have the usual names too."""
    names = [*pools]
    usual = {"strategic": "strong", "tactical": "fast"}
    classes = {name: ClassSettings(pool=name) for name in names[2:]}
    for place, (name, alias) in enumerate(usual.items()):
        classes[name] = ClassSettings(pool=names[min(place, len(names) - 1)], alias=[alias])
    known: dict[str, Any] = {
        "server": ServerSettings(listen="127.0.0.1:0", keys_file=str(folder / "keys.jsonl"), drain_s=0.5),
        "limits": NO_LIMITS,
        "validation": ValidationSettings(ttl_waiting_s=TTL_S),
    }
    return Settings(pools=dict(pools), classes=classes, **{**known, **sections})


@contextmanager
def running(given: Settings, environ: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Run a service while the block does. `environ` is where workers' secrets are found."""
    started: Future[str] = Future()
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        ended = asyncio.Event()
        stop.append((asyncio.get_running_loop(), ended))
        async with open_service(House(given, secrets=Secrets(environ or {}, Path()))) as url:
            started.set_result(url)
            await ended.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, name="pointsman", daemon=True)
    thread.start()
    try:
        yield Running(started.result(START_S))
    finally:
        for loop, ended in stop:
            if not loop.is_closed():
                loop.call_soon_threadsafe(ended.set)
        thread.join(START_S)


BUSY_CASES = ("429", "503", "529", "retry", "retry-async", "told")
"""Names of pools of one worker each, for tests that make their worker ask for a pause."""


def everyday(url: str, folder: Path, protocols: Sequence[str] = ("openai", "anthropic")) -> Settings:
    """Return the settings that most tests share: two pools with a worker of each protocol, one for embeddings.

    Models: `gpt-mock`, `claude-mock` in the first pool, `gpt-mock-mini`, `claude-mock-mini` in the second,
    `text-embedding-mock`, and `busy-...` of `BUSY_CASES`.
    """
    names = {"openai": "gpt-mock", "anthropic": "claude-mock"}
    urls = {"openai": f"{url}/v1", "anthropic": url}
    pools = {
        "planners": pool(*[worker(names[protocol], urls[protocol], protocol) for protocol in protocols]),
        "coders": pool(*[worker(f"{names[protocol]}-mini", urls[protocol], protocol) for protocol in protocols]),
    }
    if "openai" in protocols:
        pools["vectors"] = pool(worker("text-embedding-mock", urls["openai"], "openai"))
    for case in BUSY_CASES:
        pools[f"busy-{case}"] = pool(worker(f"busy-{case}", urls[protocols[0]], protocols[0]))
    return settings(pools, folder)
