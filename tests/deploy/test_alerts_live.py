"""The whole chain: a router that fails, Prometheus with the rules in short windows, Alertmanager, a webhook."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from pointsman.assembly import House
from pointsman.core.keys import NO_KEYS
from pointsman.model.events import SecurityIncident
from pointsman.model.message import Message
from pointsman.model.settings import PoolSettings, RetrySettings, ServerSettings, Settings, WorkerSettings
from pointsman.model.settings_operations import ObjectiveSettings
from pointsman.serving import open_service
from pointsman.telemetry.alert_table import alerts
from pointsman.telemetry.alerts import rules_file
from pointsman.telemetry.rules import Burn, Windows
from tests.deploy.instruments import alertmanager, needs_instruments, prometheus, until
from tests.till import PLENTY

SHORT = Windows(page=(Burn("5s", "15s", 14.4),), ticket=(Burn("10s", "20s", 3.0),), min_events=20, incident="6s")
BURNS = "PointsmanErrorsBurnFast"
INCIDENT = "PointsmanSecurityIncident"


class Worker:
    """Fails every second message until it is mended."""

    def __init__(self) -> None:
        self.mended = False
        self.seen = 0

    async def work(self, message: dict[str, Any]) -> str:
        """Take a message."""
        self.seen += 1
        if self.seen % 2 and not self.mended:
            raise RuntimeError("broken on purpose")
        return "done"


def house(worker: Worker, listen: str, beside: Path) -> House:
    """A router with this worker, which tries each message once."""
    workers = [WorkerSettings(id="w", transport="callable", max_in_flight=50)]
    pool = PoolSettings(workers=workers, retry=RetrySettings(max_attempts=1))
    settings = Settings(
        server=ServerSettings(listen=listen), pools={"planners": PoolSettings(), "coders": pool}, limits=PLENTY
    )
    return House(settings, local={"w": worker.work}, beside=beside)


async def send(to: House) -> None:
    """Send messages, forty a second, until cancelled."""
    async with asyncio.TaskGroup() as answers:
        for number in range(10_000):
            envelope = to.envelopes.wrap(
                Message(text=f"fix typo {number}", class_="tactical"), client=f"c{number % 50}"
            )
            answers.create_task(to.core.send(envelope, None))
            await asyncio.sleep(0.025)


@contextlib.asynccontextmanager
async def traffic(to: House) -> Any:
    """Send while the block runs."""
    sending = asyncio.create_task(send(to))
    try:
        yield
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


@pytest.mark.real_loop(timeout_s=150)
@needs_instruments
async def test_failures_and_incidents_reach_the_receiver_and_end(tmp_path: Path) -> None:
    """Half the messages fail: told within 30 s, and 30 s after the fix that it is over. A first incident is told, once;
    a restart of the router is none.
    """
    rules = rules_file(alerts(SHORT), ObjectiveSettings(), SHORT)
    worker = Worker()
    async with alertmanager(tmp_path / "alertmanager") as (address, webhook), contextlib.AsyncExitStack() as opened:
        first = await opened.enter_async_context(contextlib.AsyncExitStack())
        router = house(worker, "127.0.0.1:0", tmp_path)
        url = await first.enter_async_context(open_service(router, keys=lambda: NO_KEYS))
        target = url.removeprefix("http://")
        asked = await opened.enter_async_context(prometheus(tmp_path / "prometheus", [target], rules, address))
        await until(lambda: asked.scrapes(1), 20.0)
        async with traffic(router):
            await until(lambda: webhook.was_told(BURNS, "firing"), 30.0)
            worker.mended = True
            router.emit(SecurityIncident(router.clock.monotonic(), "forbidden_call_obeyed"))
            await until(lambda: webhook.was_told(INCIDENT, "firing"), 30.0)
            await until(lambda: webhook.was_told(BURNS, "resolved"), 30.0)
        await first.aclose()
        again = house(worker, target, tmp_path)
        async with open_service(again, keys=lambda: NO_KEYS):
            await until(lambda: webhook.was_told(INCIDENT, "resolved"), 30.0)
            await until(lambda: asked.scrapes(1), 20.0)
            begun = {one["startsAt"] for one in webhook.told if one["labels"]["alertname"] == INCIDENT}
            assert len(begun) == 1
            assert await asked.query(f'ALERTS{{alertname="{INCIDENT}"}}') == []
