"""A real Prometheus reads two real routers under traffic, and every query of every panel must have an answer.

The first router is the demo's: six worker processes, one of which fails for a while. The second has an old
router beside it and is half way through a rollout.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import re
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pointsman.assembly import House
from pointsman.core.keys import NO_KEYS
from pointsman.model.events import SecurityIncident
from pointsman.model.rollout import Order
from pointsman.model.settings import BudgetSettings, PoolSettings, QuotaSettings, Settings, WorkerSettings
from pointsman.model.settings_operations import RolloutSettings, ShadowSettings
from pointsman.operations.demo_fleet import Fleet
from pointsman.operations.demo_traffic import FLOODER, own_messages
from pointsman.serving import open_service
from pointsman.telemetry.dashboards import BOARDS, Board
from tests.deploy.instruments import Prometheus, needs_instruments, prometheus, until
from tests.till import PLENTY

RATE_PER_S = 20.0
WINDOW_S = 10
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def questions(boards: Sequence[Board]) -> dict[str, str]:
    """Every query of every panel as Prometheus would be asked, by where it stands."""
    found = {}
    for board in boards:
        for row in board.rows:
            for panel in row.panels:
                for place, query in enumerate(panel.queries):
                    expr = query.expr.replace("$__rate_interval", f"{WINDOW_S}s")
                    found[f"{board.uid}: {panel.title} {place}"] = re.sub(r"\$(job|instance)\b", ".+", expr)
    return found


async def without_data(asked: Prometheus, exprs: dict[str, str]) -> set[str]:
    """Places whose query gives no number."""
    return {
        place
        for place, expr in exprs.items()
        if all(math.isnan(float(one["value"][1])) for one in await asked.query(expr))
    }


class Generator:
    """Sends messages at a steady rate and remembers when."""

    def __init__(self, url: str, bodies: Sequence[dict[str, Any]], rate_per_s: float) -> None:
        self.url = f"{url}/api/v1/messages"
        self.bodies = bodies
        self.rate_per_s = rate_per_s
        self.sent_at: list[float] = []
        self.waiting: set[asyncio.Future[None]] = set()
        self.stopped = False

    async def run(self, wall: Any) -> None:
        """Send until stopped, then wait for the last answer."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        threads = ThreadPoolExecutor(64)
        try:
            for number in itertools.takewhile(lambda _: not self.stopped, itertools.count()):
                await asyncio.sleep(max(0.0, began + number / self.rate_per_s - loop.time()))
                answer = loop.run_in_executor(threads, self._post, number, wall)
                self.waiting.add(answer)
                answer.add_done_callback(self.waiting.discard)
            await asyncio.gather(*self.waiting)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)

    def _post(self, number: int, wall: Any) -> None:
        body = self.bodies[number % len(self.bodies)]
        headers = {"content-type": "application/json", "x-pointsman-client": f"client-{number % 61}"}
        request = urllib.request.Request(self.url, json.dumps(body).encode(), headers)
        self.sent_at.append(wall())
        with contextlib.suppress(urllib.error.HTTPError), _OPENER.open(request, timeout=30.0) as answer:
            answer.read()


@contextlib.asynccontextmanager
async def old_router() -> AsyncIterator[str]:
    """A router that was there before, and answers everything."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError), contextlib.closing(writer):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                if "content-length:" in head:
                    await reader.readexactly(int(head.partition("content-length:")[2].partition("\r\n")[0]))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}")

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def echo(message: dict[str, Any]) -> str:
    """A worker."""
    return str(message["text"])


def demo_house(fleet: Fleet, beside: Path) -> House:
    """The demo's router, with a budget and a provider account."""
    settings = msgspec.structs.replace(
        fleet.settings("127.0.0.1:0"),
        limits=PLENTY,
        budgets={"all": BudgetSettings(tokens=10**9)},
        quotas={"account": QuotaSettings(rpm=10**6)},
    )
    coders = settings.pools["coders"]
    drawing = [msgspec.structs.replace(worker, quota="account") for worker in coders.workers]
    pools = {**settings.pools, "coders": msgspec.structs.replace(coders, workers=drawing)}
    return House(msgspec.structs.replace(settings, pools=pools), beside=beside)


def rollout_house(legacy: str, beside: Path) -> House:
    """A router that is being brought in."""
    workers = [WorkerSettings(id="new", transport="callable", max_in_flight=50)]
    settings = Settings(
        pools={"planners": PoolSettings(workers=workers), "coders": PoolSettings()},
        limits=PLENTY,
        rollout=RolloutSettings(legacy=legacy, shadow=ShadowSettings(share=1.0)),
    )
    server = msgspec.structs.replace(settings.server, listen="127.0.0.1:0")
    return House(msgspec.structs.replace(settings, server=server), local={"new": echo}, beside=beside)


@pytest.mark.real_loop(timeout_s=90)
@needs_instruments
async def test_every_panel_has_data_and_the_rate_is_the_generators(tmp_path: Path) -> None:
    """All panels of all boards; the request rate within 2 %; and a metric that is renamed leaves a panel empty."""
    for name in ("demo", "beside"):
        (tmp_path / name).mkdir()
    fleet = Fleet()
    bodies = [line.body for line in own_messages() if line.client != FLOODER]
    async with contextlib.AsyncExitStack() as opened:
        opened.push_async_callback(fleet.stop)
        await fleet.start()
        demo = demo_house(fleet, tmp_path / "demo")
        beside = rollout_house(await opened.enter_async_context(old_router()), tmp_path / "beside")
        demo_url = await opened.enter_async_context(open_service(demo, keys=lambda: NO_KEYS))
        beside_url = await opened.enter_async_context(open_service(beside, keys=lambda: NO_KEYS))
        targets = [url.removeprefix("http://") for url in (demo_url, beside_url)]
        asked = await opened.enter_async_context(prometheus(tmp_path / "prometheus", targets))
        steady = Generator(demo_url, bodies, RATE_PER_S)
        beside_it = Generator(beside_url, [{"text": f"fix typo {number}"} for number in range(97)], 20.0)
        wall = demo.clock.wall
        async with asyncio.TaskGroup() as sending:
            for generator in (steady, beside_it):
                opened.callback(setattr, generator, "stopped", True)
                sending.create_task(generator.run(wall))
            try:
                await beside.rollout.start(Order(actor="a test"))
                await until(lambda: asked.scrapes(2), 20.0)
                await beside.rollout.promote(Order(actor="a test", reason="now", force=True))
                demo.emit(SecurityIncident(demo.clock.monotonic(), "record_tampered"))
                await demo.health.check()
                first = wall()
                await until(lambda: _passed(first + WINDOW_S + 2.0, wall), 30.0)
                exprs = questions(BOARDS)
                await until(lambda: _nothing(asked, exprs), 15.0, 1.0)
                await _agrees(asked, steady, targets[0], wall())
                await _finds_a_renamed_metric(asked, exprs)
            finally:
                steady.stopped = beside_it.stopped = True


async def _passed(at: float, wall: Any) -> bool:
    return bool(wall() >= at)


async def _nothing(asked: Prometheus, exprs: dict[str, str]) -> bool:
    empty = await without_data(asked, exprs)
    return not empty


async def _agrees(asked: Prometheus, generator: Generator, instance: str, now: float) -> None:
    """The rate that the board shows is that of the generator, within 2 %."""
    at = now - 1.0
    shown = sum(
        [
            float(one["value"][1])
            for metric in ("pointsman_messages_admitted_total", "pointsman_messages_refused_total")
            for one in await asked.query(f'sum(rate({metric}{{instance="{instance}"}}[{WINDOW_S}s]))', at)
        ]
    )
    sent = sum(at - WINDOW_S <= moment < at for moment in generator.sent_at) / WINDOW_S
    assert sent > RATE_PER_S / 2
    assert shown == pytest.approx(sent, rel=0.02)


async def _finds_a_renamed_metric(asked: Prometheus, exprs: dict[str, str]) -> None:
    """One letter, and the check names every panel that uses it."""
    name = "pointsman_overhead_seconds"
    renamed = {place: expr.replace(name, "pointsman_overheads_seconds") for place, expr in exprs.items()}
    users = {place for place, expr in exprs.items() if name in expr}
    assert users
    assert await without_data(asked, renamed) == users
