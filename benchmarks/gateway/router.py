"""Pointsman under test: the real `pointsman serve`, its whole policy on, and what it says about itself afterwards.

On are: API keys, rate limit and flood guard per client, validation, the rules classifier (`model: "auto"`), pins of
conversations, prices and budgets. The limits are too high to refuse anything; they are worked out for each request all
the same.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.gateway.processes import NotStarted, Tree, start

FIRST_TOKEN_S: Final = 0.4
"""Time-out for the first token where silent workers are measured, seconds."""

_POLICY: Final = """
[server]
listen = "127.0.0.1:{port}"
keys_file = "{folder}/keys.jsonl"

[costs]
ledger = "{folder}/spend.jsonl"

[prices."gpt-4o-mini"]
input = 0.15
cached_input = 0.075
output = 0.60

[budgets.everything]
scope = "overall"
per = "month"
money = 1000000000.0

[budgets.each-key]
scope = "key"
per = "day"
tokens = 1000000000000
"""

_USUAL_TABLES: Final = """
[limits]
rate_per_min = 1000000000
burst = 1000000000
"""

_SMALL_TABLES: Final = """
[limits]
rate_per_min = 1000000000
burst = 1000000000
flood_tracked = 5000

[classifier]
max_pins = 5000

[conversations]
max_tracked = 5000

[engine]
keep_ended = 2000

[telemetry]
keep_decisions = 2000
"""

_WORKER: Final = """
[[pools.{pool}.workers]]
id = "{pool}-{letter}"
transport = "openai"
url = "http://127.0.0.1:{upstream}/v1"
model = "gpt-4o-mini"
auth = {{ file = "{folder}/worker-key" }}
max_in_flight = 64
"""

_FAULTS: Final = """
[pools.{pool}]
balancer = "round_robin"
first_token_s = {first_token_s}

[pools.{pool}.breaker]
failures = 1000000000
min_calls = 1000000000
"""


@dataclass(frozen=True, slots=True)
class Variant:
    """How a Pointsman is set up.

    Attributes:
        loop: event loop, `asyncio` or `uvloop`.
        faults: two workers a pool, breakers that never open, a short first-token time-out; else one worker, defaults.
        small_tables: tables that are full after a few thousand messages, so that a short run shows growth, no filling.
    """

    loop: str
    faults: bool = False
    small_tables: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """A Pointsman that was started, and the key it wants."""

    tree: Tree
    key: str


def product_version() -> str:
    """Return the version of the product under test."""
    return version("pointsman")


def begin(variant: Variant, folder: Path, port: int, upstreams: Sequence[int], core: int) -> Started:
    """Write the settings, make a key and start a router.

    Raises:
        NotStarted: the key could not be made, or the process not be executed.
    """
    settings = folder / "pointsman.toml"
    settings.write_text(_settings(variant, folder, port, upstreams))
    (folder / "worker-key").write_text("sk-worker\n")
    key = _make_key(settings, folder)
    command = [sys.executable, "-m", "pointsman", "serve", "--config", str(settings), "--loop", variant.loop]
    return Started(start(f"pointsman-{variant.loop}", command, folder, core), key)


def _settings(variant: Variant, folder: Path, port: int, upstreams: Sequence[int]) -> str:
    parts = [_POLICY.format(port=port, folder=folder), _SMALL_TABLES if variant.small_tables else _USUAL_TABLES]
    for pool in ("planners", "coders"):
        if variant.faults:
            parts.append(_FAULTS.format(pool=pool, first_token_s=FIRST_TOKEN_S))
        for letter, upstream in zip("ab", upstreams if variant.faults else upstreams[:1], strict=False):
            parts.append(_WORKER.format(pool=pool, letter=letter, upstream=upstream, folder=folder))
    return "".join(parts)


def _make_key(settings: Path, folder: Path) -> str:
    """Return an API key for the client.

    Raises:
        NotStarted: `pointsman keys create` failed.
    """
    command = [sys.executable, "-m", "pointsman", "keys", "create", "bench", "--config", str(settings), "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    found = re.search(r'"key": *"([^"]+)"', done.stdout)
    if found is None:
        raise NotStarted(f"no key could be made: {done.stdout}{done.stderr}")
    return found[1]


async def in_flight(port: int, key: str) -> int:
    """Ask a router how many messages its workers have in hand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET /api/v1/workers HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer %s\r\nconnection: close\r\n\r\n"
        % key.encode()
    )
    answer = await reader.read()
    writer.close()
    return sum(worker["in_flight"] for worker in json.loads(answer.partition(b"\r\n\r\n")[2])["workers"])
