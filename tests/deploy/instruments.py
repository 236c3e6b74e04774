"""Real instruments beside a router: Prometheus, Alertmanager and a receiver of webhooks, each on a port of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from deploy.generate import yaml

PROGRAMS = ("prometheus", "promtool", "prometheus-alertmanager", "amtool")

needs_instruments = pytest.mark.skipif(
    not all(shutil.which(program) for program in PROGRAMS), reason="promtool not present"
)

T = TypeVar("T")
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def write(where: Path, **files: dict[str, Any]) -> None:
    """Write files of YAML into a new directory, by their names without the ending."""
    where.mkdir()
    for name, value in files.items():
        (where / f"{name}.yml").write_text(yaml(value), "utf-8")


async def until(ask: Callable[[], Awaitable[T]], timeout_s: float, every_s: float = 0.25) -> T:
    """Ask again and again until the answer is a true one; fail with the last answer."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + timeout_s
    while True:
        answer = await ask()
        if answer or loop.time() > ends:
            assert answer, f"not within {timeout_s:g} s"
            return answer
        await asyncio.sleep(every_s)


@contextlib.asynccontextmanager
async def program(*command: str, log: Path) -> AsyncIterator[Process]:
    """Run a program while the block runs; its log goes to a file."""
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=file, stderr=file)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class Prometheus:
    """A running Prometheus."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def query(self, expr: str, at: float | None = None) -> list[dict[str, Any]]:
        """Return the samples that an expression gives now, or at an instant; a wrong one raises."""
        asked = {"query": expr} | ({} if at is None else {"time": f"{at:.3f}"})
        answer = await self._get("/api/v1/query?" + urllib.parse.urlencode(asked))
        return list(answer["data"]["result"])

    async def is_ready(self) -> bool:
        """Return whether it answers queries yet; it listens earlier."""
        try:
            await self.query("vector(1)")
        except urllib.error.HTTPError:
            return False
        return True

    async def scrapes(self, targets: int) -> bool:
        """Return whether it reads so many targets."""
        return len(await self.query("up == 1")) >= targets

    async def _get(self, path: str) -> Any:
        def get() -> Any:
            with _OPENER.open(self.url + path, timeout=10.0) as answer:
                return json.load(answer)

        return await asyncio.to_thread(get)


@contextlib.asynccontextmanager
async def prometheus(
    where: Path, targets: Sequence[str], rules: dict[str, Any] | None = None, alertmanager: str = ""
) -> AsyncIterator[Prometheus]:
    """Run Prometheus while the block runs; it reads the targets once a second."""
    config: dict[str, Any] = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "scrape_configs": [{"job_name": "pointsman", "static_configs": [{"targets": list(targets)}]}],
    }
    if rules is not None:
        config["rule_files"] = [str(where / "rules.yml")]
    if alertmanager:
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
    write(where, prometheus=config, rules=rules or {})
    log = where / "log"
    command = (
        "prometheus",
        f"--config.file={where / 'prometheus.yml'}",
        f"--storage.tsdb.path={where / 'data'}",
        "--web.listen-address=127.0.0.1:0",
    )
    async with program(*command, log=log):
        address = await until(lambda: _listening(log), 20.0, 0.1)
        made = Prometheus(f"http://{address}")
        await until(made.is_ready, 20.0, 0.1)
        yield made


async def _listening(log: Path) -> str:
    """Return the address that a program wrote into its log, or nothing."""
    for line in (await asyncio.to_thread(log.read_text, "utf-8")).splitlines():
        if 'msg="Listening on"' in line:
            return line.rpartition("address=")[2].strip()
    return ""


class Webhook:
    """What an Alertmanager told: each alert with its state, in the order it came."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    async def was_told(self, alert: str, status: str) -> bool:
        """Return whether it was told of an alert in a state."""
        return any(one["labels"]["alertname"] == alert and one["status"] == status for one in self.told)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after the other."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError), contextlib.closing(writer):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                size = int(head.partition("content-length:")[2].partition("\r\n")[0])
                self.told += json.loads(await reader.readexactly(size))["alerts"]
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


@contextlib.asynccontextmanager
async def alertmanager(where: Path) -> AsyncIterator[tuple[str, Webhook]]:
    """Run Alertmanager while the block runs; yields its address and what it tells."""
    webhook = Webhook()
    server = await asyncio.start_server(webhook.take, "127.0.0.1", 0)
    told_at = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    config = {
        "route": {"receiver": "here", "group_by": ["alertname"], "group_wait": "0s", "group_interval": "1s"},
        "receivers": [{"name": "here", "webhook_configs": [{"url": told_at, "send_resolved": True}]}],
    }
    write(where, alertmanager=config)
    command = (
        "prometheus-alertmanager",
        f"--config.file={where / 'alertmanager.yml'}",
        f"--storage.path={where / 'data'}",
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=",
    )
    try:
        async with program(*command, log=where / "log"):
            yield await until(lambda: _listening(where / "log"), 20.0, 0.1), webhook
    finally:
        server.close()


def promtool(*arguments: str, stdin: bytes = b"") -> tuple[int, str]:
    """Run promtool and return its exit code and what it said."""
    done = subprocess.run(["promtool", *arguments], input=stdin, capture_output=True, check=False)
    return done.returncode, (done.stdout + done.stderr).decode()
