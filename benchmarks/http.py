"""CPU of the router process for one request: client -> router -> HTTP worker -> back, 32 connections, both event loops.

Three processes: the router (`pointsman serve`, the one that is measured, by the kernel's account of its CPU time), a
worker that answers at once, and the load generator in this one. Rounds of the two event loops take turns.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.report import figure, heading

CONNECTIONS = 32
REQUESTS = 6000
ROUNDS = 3
BARS_US = {"asyncio": 300.0, "uvloop": 230.0}

WORKER = """
import asyncio
class Answer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.data = transport, b""
    def data_received(self, data):
        self.data += data
        while True:
            head, found, rest = self.data.partition(b"\\r\\n\\r\\n")
            if not found:
                return
            length = 0
            for line in head.split(b"\\r\\n"):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if len(rest) < length:
                return
            self.data = rest[length:]
            self.transport.write(REPLY)
REPLY = (b"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: 37\\r\\n\\r\\n"
         b'{"text": "done, as fast as it could"}')
async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""

BARE = """
import asyncio, gc, sys
from pointsman.http.channel import AsgiChannel
from pointsman.http.server import HttpServer, bind
from pointsman.model.settings import ServerSettings
BODY = b'{"id":"0","status":"delivered","reply":{"text":"done, as fast as it could"}}'
class App:
    async def serve(self, channel):
        if channel.arrived() is None:
            while (await channel.receive()).get("more_body"):
                pass
        await channel.respond(200, [(b"content-length", b"%d" % len(BODY))], BODY)
    async def __call__(self, scope, receive, send):
        await self.serve(AsgiChannel(scope, receive, send))
async def main(kind):
    listening = bind("127.0.0.1:0")
    print(listening.getsockname()[1], flush=True)
    if kind == "ours":
        await HttpServer(App(), ServerSettings(), [listening]).run(lambda: None)
    else:
        import uvicorn
        config = uvicorn.Config(App(), lifespan="off", access_log=False, log_level="warning", http="httptools")
        await uvicorn.Server(config).serve([listening])
factory = __import__("uvloop").new_event_loop if sys.argv[2] == "uvloop" else None
gc.freeze()
gc.set_threshold(10_000, 20, 50)
with asyncio.Runner(loop_factory=factory) as runner:
    runner.run(main(sys.argv[1]))
"""

TEXT = (
    "Please look at the payment service and write a function that checks whether a card number is valid. It should"
    " return true or false, ignore spaces and dashes, and have a few tests for it. Ticket "
)


def measure() -> None:
    """Print CPU microseconds of one request, for both event loops and both APIs."""
    heading(f"HTTP, {CONNECTIONS} connections, router process only")
    loops = [name for name in BARS_US if name == "asyncio" or importlib.util.find_spec("uvloop")]
    with contextlib.ExitStack() as running:
        port = running.enter_context(_worker())
        routers = {name: running.enter_context(_router(name, port)) for name in loops}
        servers = [(kind, name) for kind in ("ours", "uvicorn") for name in loops]
        peers = {server: running.enter_context(_bare(*server)) for server in servers}
        for (kind, name), (process, address) in peers.items():
            asyncio.run(_load(address, "native", "warm"))
            before = cpu_s(process.pid)
            asyncio.run(_load(address, "native", "peer"))
            cost = (cpu_s(process.pid) - before) / REQUESTS * 1e6
            figure(f"only a server ({kind}) on {name}: fixed answer, no worker behind it", cost, "us")
        for api in ("native", "openai"):
            costs: dict[str, list[float]] = {name: [] for name in loops}
            rates: dict[str, list[float]] = {name: [] for name in loops}
            for number in range(ROUNDS):
                for name, (process, address) in routers.items():
                    before = cpu_s(process.pid)
                    took_s = asyncio.run(_load(address, api, f"{api}{name}{number}"))
                    costs[name].append((cpu_s(process.pid) - before) / REQUESTS * 1e6)
                    rates[name].append(REQUESTS / took_s)
            for name in loops:
                figure(
                    f"{api} API on {name}: CPU of the router, median",
                    sorted(costs[name])[ROUNDS // 2],
                    "us",
                    BARS_US[name],
                )
                figure(f"{api} API on {name}: requests a second, median", sorted(rates[name])[ROUNDS // 2], "1/s")
    if "uvloop" not in loops:
        print("  not measured: uvloop is not installed (pip install 'pointsman[uvloop]')")


@contextlib.contextmanager
def _worker() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", WORKER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _bare(kind: str, loop: str) -> Iterator[tuple[subprocess.Popen[str], tuple[str, int]]]:
    process = subprocess.Popen([sys.executable, "-c", BARE, kind, loop], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, ("127.0.0.1", int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _router(loop: str, worker_port: int) -> Iterator[tuple[subprocess.Popen[str], tuple[str, int]]]:
    settings = f"""
[server]
listen = "127.0.0.1:0"
[limits]
rate_per_min = 1000000000
burst = 1000000000
flood_copies = 1000000000
[classes.tactical]
pool = "coders"
[classifier]
fallback_class = "tactical"
[[pools.coders.workers]]
id = "w"
url = "http://127.0.0.1:{worker_port}/work"
max_in_flight = 64
"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pointsman.toml"
        path.write_text(settings)
        command = [sys.executable, "-m", "pointsman", "serve", "--config", str(path), "--loop", loop]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if "http://" in line:
                    host, _, port = line.split("http://")[1].split()[0].strip("/.,").partition(":")
                    break
            else:
                raise RuntimeError("the router did not start")
            yield process, (host, int(port))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process has taken so far, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _load(address: tuple[str, int], api: str, mark: str) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(_client(address, api, f"{mark}-{number}") for number in range(CONNECTIONS)))
    return loop.time() - began


async def _client(address: tuple[str, int], api: str, mark: str) -> None:
    reader, writer = await asyncio.open_connection(*address)
    for number in range(REQUESTS // CONNECTIONS):
        text = f"{TEXT}{mark}-{number:06d}"
        if api == "native":
            path, body = "/api/v1/messages", json.dumps({"text": text}).encode()
        else:
            path = "/v1/chat/completions"
            body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": text}]}).encode()
        writer.write(
            b"POST %s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
            % (path.encode(), len(body), body)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError((head + await reader.read(2000)).decode())
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()


if __name__ == "__main__":
    measure()
