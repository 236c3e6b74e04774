"""The switch under load, over real HTTP: 32 connections, half of the keys ours, and a rollback in the middle.

Four ways to roll back: a call of the API, `pointsman rollout rollback` as a process of its own, the kill file, and the
guard, for which every tenth message of ours begins to fail. From the moment on at which it is known to be in force,
each message that is sent must be the old router's. Both routers' workers write down what they are given, so that it
shows whether a message got lost, or was executed twice. Then the router is started again, and must not be any further.

`play` does one of the ways with as many messages as it is told, for the tests too.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.report import figure, heading
from benchmarks.rollout.served import Address, ask, exchange, head, served

MESSAGES = 10_000
CONNECTIONS = 32
KILL_FILE_S = 1.0
ILL = 10
"""One message in so many fails at our worker where the guard is to act."""

ROLLOUT = "/api/v1/rollout"
ORDER = {"actor": "lena", "reason": "a drill"}


@dataclass
class Drill:
    """One rollback under load.

    Attributes:
        way: how it is rolled back.
        answers: of each message, by its number: who answered, `old` or `new`, or a status.
        done: of each message, how many times a worker or the old router was given it.
        late: messages that were sent when the rollback was known to be in force.
        is_ill: our worker fails now and then.
        is_back: the rollback is known to be in force.
        took_s: from the order until then, seconds; with the guard, from the first failure that may come.
        after: the status after a restart.
        history: of the rollout, the newest first.
    """

    way: str
    answers: dict[int, str] = field(default_factory=dict)
    done: Counter[int] = field(default_factory=Counter)
    late: list[int] = field(default_factory=list)
    is_ill: bool = False
    is_back: bool = False
    took_s: float = 0.0
    after: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)

    def by(self, who: str) -> int:
        """Return how many messages somebody answered."""
        return sum(answer == who for answer in self.answers.values())


async def by_api(drill: Drill, folder: Path, address: Address) -> None:
    """Call the API."""
    await ask(address, "POST", f"{ROLLOUT}/rollback", ORDER)


async def by_command(drill: Drill, folder: Path, address: Address) -> None:
    """Run the command."""
    url = f"http://{address[0]}:{address[1]}"
    words = ("rollout", "rollback", "--url", url, "--actor", ORDER["actor"], "--reason", ORDER["reason"])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pointsman", *words, cwd=folder, stdout=asyncio.subprocess.DEVNULL
    )
    if await process.wait():
        raise RuntimeError(f"the command ended with {process.returncode}")


async def by_kill_file(drill: Drill, folder: Path, address: Address) -> None:
    """Put the file there."""
    (folder / "KILL").write_text("a drill")
    await _until_back(address)


async def by_guard(drill: Drill, folder: Path, address: Address) -> None:
    """Let our worker fail."""
    drill.is_ill = True
    await _until_back(address)


WAYS: dict[str, Callable[[Drill, Path, Address], Awaitable[None]]] = {
    "api": by_api,
    "command": by_command,
    "kill_file": by_kill_file,
    "guard": by_guard,
}


async def _until_back(address: Address) -> None:
    while (await ask(address, "GET", ROLLOUT))["state"] != "rolled_back":  # noqa: ASYNC110 - it is another process
        await asyncio.sleep(0.01)


async def play(way: str, messages: int) -> Drill:
    """Roll back in one of the ways when half of the messages are answered, and return what came of it."""
    drill = Drill(way)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        old = await _listen(drill, "old")
        worker = await _listen(drill, "new")
        async with old, worker:
            rules = _settings(_port(old), _port(worker))
            with served(folder, rules) as (_, address):
                for verb in ("start", "promote"):
                    await ask(address, "POST", f"{ROLLOUT}/{verb}", ORDER)
                half = asyncio.Event()
                talks = (_talk(drill, address, first, messages, half) for first in range(CONNECTIONS))
                await asyncio.gather(_roll_back(drill, folder, address, half), *talks)
                drill.history = (await ask(address, "GET", f"{ROLLOUT}/history"))["entries"]
            with served(folder, rules) as (_, address):
                drill.after = await ask(address, "GET", ROLLOUT)
    return drill


async def _roll_back(drill: Drill, folder: Path, address: Address, half: asyncio.Event) -> None:
    await half.wait()
    began = time.perf_counter()
    await WAYS[drill.way](drill, folder, address)
    drill.took_s = time.perf_counter() - began
    drill.is_back = True


async def _talk(drill: Drill, address: Address, first: int, messages: int, half: asyncio.Event) -> None:
    """Send every 32nd message; where too few are left to see the rollback, go on until it is in force."""
    reader, writer = await asyncio.open_connection(*address)
    number, after = first, 0
    while number < messages or after < 2:
        body = json.dumps(
            {"text": f"message {number}", "conversation_id": f"talk-{number % 2000}", "redeliver": "never"}
        ).encode()
        request = head("POST", "/api/v1/messages", len(body), f"x-pointsman-client: client-{number % 40}") + body
        if drill.is_back:
            drill.late.append(number)
            after += 1
        status, answer = await exchange(reader, writer, request)
        drill.answers[number] = json.loads(answer)["reply"]["text"] if status == 200 else str(status)
        if len(drill.answers) >= messages // 2:
            half.set()
        number += CONNECTIONS
    writer.close()


async def _listen(drill: Drill, who: str) -> asyncio.Server:
    """Start the old router, or our worker: each writes down what it is given, and answers with who it is."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                asked = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(int(asked.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
                number = int(json.loads(body)["text"].removeprefix("message "))
                drill.done[number] += 1
                await asyncio.sleep(0.002)
                ill = who == "new" and drill.is_ill and number % ILL == 0
                # The old router answers as ours does, so that one client understands both.
                answer = json.dumps({"reply": {"text": who}} if who == "old" else {"text": who}).encode()
                status = b"500 Internal Server Error" if ill else b"200 OK"
                writer.write(
                    b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
                    % (status, len(answer), answer)
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


def _settings(old: int, worker: int) -> str:
    """Return settings of a router that begins with half of the keys; a loaded machine is no reason to roll back."""
    return f"""
[server]
listen = "127.0.0.1:0"
[limits]
rate_per_min = 1_000_000
burst = 100_000
flood_copies = 100_000
[rollout]
legacy = "http://127.0.0.1:{old}"
record = "rollout.jsonl"
kill_file = "KILL"
stages = [0.5]
min_shadow_s = 0.0
min_stage_s = 0.0
[rollout.guard]
slow_s = 10.0
[classes.tactical]
pool = "coders"
[classifier]
fallback_class = "tactical"
[[pools.coders.workers]]
id = "w"
transport = "http"
url = "http://127.0.0.1:{worker}/work"
max_in_flight = 64
"""


def report(drill: Drill, messages: int) -> None:
    """Print what came of one of the ways."""
    way, numbers = drill.way, range(messages)
    figure(f"{way}: messages answered", len(drill.answers), "messages", messages, at_least=True)
    figure(f"{way}: of them by this router", drill.by("new"), "messages")
    figure(f"{way}: of them by the old router", drill.by("old"), "messages")
    failed = len(drill.answers) - drill.by("new") - drill.by("old")
    figure(f"{way}: of them with an error", failed, "messages", 100 if way == "guard" else 0)
    figure(f"{way}: from the order to the rollback", drill.took_s, "s", KILL_FILE_S if way == "kill_file" else None)
    figure(f"{way}: sent after it", len(drill.late), "messages", CONNECTIONS, at_least=True)
    strayed = sum(drill.answers[number] != "old" for number in drill.late)
    figure(f"{way}: of them not answered by the old router", strayed, "messages", 0)
    figure(f"{way}: executed by nobody", sum(not drill.done[number] for number in numbers), "messages", 0)
    figure(f"{way}: executed twice", sum(count > 1 for count in drill.done.values()), "messages", 0)
    figure(f"{way}: share after a restart", drill.after["share"], "of keys", 0)
    last = drill.history[0]
    print(f"    recorded as {last['event']} by {last['actor']}: {last['reason']}")


def measure() -> None:
    """Print all four ways."""
    heading(f"The switch, through HTTP: {MESSAGES:,} messages on {CONNECTIONS} connections, rolled back in the middle")
    for way in WAYS:
        report(asyncio.run(play(way, MESSAGES)), MESSAGES)


if __name__ == "__main__":
    measure()
