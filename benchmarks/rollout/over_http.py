"""The same through the service: client -> router -> old router and back, with the shadow off, at 10 % and at 100 %.

Three routers of one kind in front of one old router, each a process; requests at fixed instants, rounds in turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.admission import texts
from benchmarks.http import cpu_s
from benchmarks.report import figure, heading, percentile
from benchmarks.rollout.served import Address, ask, exchange, head, served

CONNECTIONS = 16
RATE_PER_S = 200
ROUND_S = 2.0
ROUNDS = 9
SHARES = {"off": 0.0, "10 %": 0.10, "100 %": 1.00}

OLD_ROUTER = """
import asyncio
REPLY = (b"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\nx-pointsman-class: tactical\\r\\n"
         b'content-length: 37\\r\\n\\r\\n{"text": "done, as fast as it could"}')
async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\\r\\n")[0])
            await reader.readexactly(length)
            await asyncio.sleep(0.002)
            writer.write(REPLY)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def measure() -> None:
    """Print p95 with the shadow off and on, and what it came to."""
    heading(f"Shadow, through HTTP: {RATE_PER_S} requests/s, {ROUNDS} rounds of {ROUND_S:g} s in turn, medians")
    messages = texts(int(RATE_PER_S * ROUND_S))
    took: dict[str, list[list[float]]] = {name: [] for name in SHARES}
    cpu_us: dict[str, list[float]] = {name: [] for name in SHARES}
    with contextlib.ExitStack() as running:
        port = running.enter_context(_old_router())
        routers = {name: running.enter_context(_router(port, share)) for name, share in SHARES.items()}
        for name, (_, address) in routers.items():
            if SHARES[name]:
                asyncio.run(ask(address, "POST", "/api/v1/rollout/start", {"actor": "benchmark"}))
        answers = set()
        for number in range(ROUNDS):
            order = list(routers.items())
            for name, (pid, address) in order[number % 3 :] + order[: number % 3]:
                before_s = cpu_s(pid)
                round_took, bodies = asyncio.run(_load(address, messages))
                cpu_us[name].append((cpu_s(pid) - before_s) / len(messages) * 1e6)
                took[name].append(sorted(round_took))
                answers |= bodies
        found = {
            name: asyncio.run(ask(address, "GET", "/api/v1/rollout/differences"))["counts"]
            for name, (_, address) in routers.items()
        }
    was = _median(took["off"], 0.95)
    for name in SHARES:
        figure(f"shadow {name}: p95", _median(took[name], 0.95), "ms")
        if name != "off":
            more = (
                percentile(on, 0.95) - percentile(off, 0.95) for on, off in zip(took[name], took["off"], strict=True)
            )
            bar = round(max(was * 0.05, 1.0), 2)
            figure(f"shadow {name}: p95 above that of the round without", sorted(more)[ROUNDS // 2] * 1e3, "ms", bar)
        figure(f"shadow {name}: p50", _median(took[name], 0.50), "ms")
        figure(f"shadow {name}: p99", _median(took[name], 0.99), "ms")
        figure(f"shadow {name}: CPU of the router for one request", sorted(cpu_us[name])[ROUNDS // 2], "us")
        counts = found[name]
        lost = counts["sampled"] - counts["compared"] - counts["dropped"] - counts["timed_out"]
        figure(f"shadow {name}: sampled and come to no end", abs(lost), "messages", 0)
        print(f"    {', '.join(f'{kind} {count:,}' for kind, count in counts.items())}")
    figure("different answers seen", len(answers), "answers", 1)


def _median(rounds: list[list[float]], share: float) -> float:
    return sorted(percentile(one, share) for one in rounds)[len(rounds) // 2] * 1e3


@contextlib.contextmanager
def _old_router() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", OLD_ROUTER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _router(port: int, share: float) -> Iterator[tuple[int, Address]]:
    settings = f"""
[server]
listen = "127.0.0.1:0"
[rollout]
legacy = "http://127.0.0.1:{port}"
record = "rollout.jsonl"
kill_file = "KILL"
[rollout.shadow]
share = {max(share, 0.01)}
[classes.tactical]
pool = "coders"
[classifier]
fallback_class = "tactical"
[[pools.coders.workers]]
id = "w"
url = "http://127.0.0.1:{port}/work"
"""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), settings) as running:
        yield running


async def _load(address: Address, messages: list[str]) -> tuple[list[float], set[bytes]]:
    took: list[float] = []
    answers: set[bytes] = set()
    began = time.perf_counter() + 0.2

    async def client(first: int) -> None:
        reader, writer = await asyncio.open_connection(*address)
        for at in range(first, len(messages), CONNECTIONS):
            due = began + at / RATE_PER_S
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            status, answer = await exchange(reader, writer, _request(messages[at], at))
            if status != 200:
                raise RuntimeError(answer.decode())
            answers.add(answer)
            took.append(time.perf_counter() - due)
        writer.close()

    await asyncio.gather(*(client(first) for first in range(CONNECTIONS)))
    return took, answers


def _request(text: str, at: int) -> bytes:
    body = json.dumps({"text": text, "conversation_id": f"talk-{at}"}).encode()
    return head("POST", "/api/v1/messages", len(body)) + body


if __name__ == "__main__":
    measure()
