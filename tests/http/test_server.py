"""The real server on real sockets: where it listens, what clients on the other end see, how it stops."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import random
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import uvloop

from pointsman.assembly import House
from pointsman.http.app import App
from pointsman.http.channel import Channel
from pointsman.http.server import HttpServer, ListenError, NotLoopback, PortTaken, bind
from pointsman.http.waiting import ClientGone, while_linked
from pointsman.model.events import Admitted, AttemptStarted, Ended, Event
from pointsman.model.settings import ServerSettings
from tests.http.line import Script, mirror
from tests.http.service import echo, settings, silent, surface_of

TACTICAL = b'{"text": "fix it", "class": "tactical"}'


@dataclass
class Running:
    """A service that listens."""

    house: House
    server: HttpServer
    port: int
    happened: dict[type[Event], asyncio.Queue[Event]]

    async def see(self, kind: type[Event], count: int = 1) -> None:
        """Wait until so many events of a kind have come."""
        for _ in range(count):
            await self.happened[kind].get()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection."""
        return await asyncio.open_connection("127.0.0.1", self.port)


@contextlib.asynccontextmanager
async def running(worker: Any = echo) -> AsyncIterator[Running]:
    """Run a service on a free port until the block ends."""
    workers = {"coders": {"w": worker}}
    house = House(settings(workers), rng=random.Random(7), local=workers["coders"])
    happened: dict[type[Event], asyncio.Queue[Event]] = collections.defaultdict(asyncio.Queue)
    house.observers.add(lambda event: happened[type(event)].put_nowait(event))
    await house.start()
    listening = bind("127.0.0.1:0")
    port = listening.getsockname()[1]
    server = HttpServer(App(surface_of(house)), house.settings.server, [listening])
    started = asyncio.Event()
    serving = asyncio.create_task(server.run(started.set))
    await started.wait()
    try:
        yield Running(house, server, port, happened)
    finally:
        await house.stop(0.0)
        server.begin_stop()
        await serving


@contextlib.asynccontextmanager
async def served(app: Script) -> AsyncIterator[tuple[HttpServer, int]]:
    """Serve an application on a free port until the block ends."""
    listening = bind("127.0.0.1:0")
    port = listening.getsockname()[1]
    server, started = HttpServer(app, ServerSettings(), [listening]), asyncio.Event()
    serving = asyncio.create_task(server.run(started.set))
    await started.wait()
    try:
        yield server, port
    finally:
        server.begin_stop()
        await serving


def post(body: bytes = TACTICAL) -> bytes:
    """Return a request."""
    head = "POST /api/v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def answer(reader: asyncio.StreamReader) -> tuple[int, Mapping[str, str], bytes]:
    """Read one answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(headers["content-length"]))
    return int(head[0].split()[1]), headers, body


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "localhost:0", "127.0.0.2:0"])
def test_loopback_is_bound(listen: str) -> None:
    """Any address of it, at any free port."""
    with contextlib.closing(bind(listen)) as bound:
        host, port = bound.getsockname()
        assert host.startswith("127.0.0.")
        assert port > 0


@pytest.mark.real_loop(timeout_s=20)
async def test_small_answers_are_not_held_back() -> None:
    """Nagle's algorithm is off, which asyncio does only for sockets that say that they are TCP."""
    async with running() as run:
        _, writer = await run.connect()
        writer.write(post())
        await run.see(Ended)
        assert run.server._site is not None
        [connection] = run.server._site.connections
        accepted = connection.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.close()


def test_a_port_that_is_taken_is_told() -> None:
    """By name, with what to do."""
    with contextlib.closing(bind("127.0.0.1:0")) as first:
        listen = f"127.0.0.1:{first.getsockname()[1]}"
        with pytest.raises(PortTaken, match="choose another") as caught:
            bind(listen)
    assert listen in str(caught.value)
    assert caught.value.code == "port_taken"


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:8080", "192.168.1.5:8080", "[::]:8080", "8.8.8.8:80", "[::ffff:10.0.0.1]:1"]
)
def test_what_others_could_reach_needs_keys_first(listen: str) -> None:
    """The command that makes one is named."""
    with pytest.raises(NotLoopback, match="pointsman keys create NAME"):
        bind(listen)


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0"])
def test_with_keys_others_may_reach_it(listen: str) -> None:
    """On every address of the machine, if that is wanted."""
    with contextlib.closing(bind(listen, is_guarded=True)) as bound:
        assert bound.getsockname()[0] == listen.rpartition(":")[0].strip("[]")


@pytest.mark.parametrize(
    "listen",
    ["", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "example.com:80", "::1:80", "[x]:1"],
)
def test_what_is_no_address_is_refused(listen: str) -> None:
    """With an example."""
    with pytest.raises(ListenError, match=r"server\.listen"):
        bind(listen)


def test_what_the_system_refuses_is_told_in_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a port that only the administrator may use."""

    def refuse(self: socket.socket, address: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(ListenError, match=r"cannot listen on 127\.0\.0\.1:80: Permission denied"):
        bind("127.0.0.1:80")


@pytest.mark.real_loop(timeout_s=20)
async def test_one_connection_carries_many_requests() -> None:
    """One after the other, and pipelined."""
    async with running() as run:
        reader, writer = await run.connect()
        for _ in range(3):
            writer.write(post())
            status, headers, body = await answer(reader)
            assert (status, json.loads(body)["status"]) == (200, "delivered")
            assert "server" not in headers
        writer.write(post(b'{"text": "fix 1"}') + post(b'{"text": "fix 2"}'))
        replies = [json.loads((await answer(reader))[2])["reply"]["text"] for _ in range(2)]
        assert replies == ["did: fix 1", "did: fix 2"]
        writer.close()


@pytest.mark.real_loop(timeout_s=20)
async def test_a_client_that_sends_ten_megabytes_gets_its_answer() -> None:
    """One that reads only after it has written everything, as most do; the connection ends then."""
    async with running() as run:
        reader, writer = await run.connect()
        writer.write(post(b"a" * 10_000_000))
        await writer.drain()
        status, headers, body = await answer(reader)
        assert (status, json.loads(body)["code"]) == (413, "too_large")
        assert headers["connection"] == "close"
        assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_client_that_hangs_up_cancels_its_message(loop: str) -> None:
    """At its worker and in its queue, whether it says goodbye or not."""

    async def hang_up() -> None:
        async with running(silent) as run:
            connections = [await run.connect() for _ in range(2)]
            for _, writer in connections:
                writer.write(post())
            await run.see(Admitted, 2)
            await run.see(AttemptStarted)
            connections[0][1].close()
            connections[1][1].transport.abort()
            await run.see(Ended, 2)
            counts = await run.house.engine.counts()
            assert (counts.admitted, counts.cancelled, counts.waiting) == (2, 2, 0)

    (uvloop.run if loop == "uvloop" else asyncio.run)(asyncio.wait_for(hang_up(), 20.0))


@pytest.mark.real_loop(timeout_s=20)
async def test_answers_in_hand_are_finished_before_it_stops() -> None:
    """And idle connections are closed."""
    go = asyncio.Event()

    async def wait(work: Mapping[str, Any]) -> Any:
        await go.wait()
        return "done"

    async with running(wait) as run:
        idle_reader, idle_writer = await run.connect()
        idle_writer.write(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await answer(idle_reader)
        reader, writer = await run.connect()
        writer.write(post())
        await run.see(AttemptStarted)
        run.server.begin_stop()
        assert await idle_reader.read() == b""
        go.set()
        status, headers, _ = await answer(reader)
        assert (status, headers["connection"]) == (200, "close")
        assert await reader.read() == b""
        with pytest.raises(ConnectionRefusedError):
            await run.connect()
        for one in (idle_writer, writer):
            one.close()


@pytest.mark.real_loop(timeout_s=20)
async def test_it_says_where_it_listens() -> None:
    """As clients need it."""
    async with running() as run:
        assert run.server.urls == [f"http://127.0.0.1:{run.port}"]


@pytest.mark.real_loop(timeout_s=20)
async def test_clients_that_vanish_are_probed_for() -> None:
    """By the operating system, on each connection."""
    async with running() as run:
        reader, writer = await run.connect()
        writer.write(post())
        await answer(reader)
        assert run.server._site is not None
        [connection] = run.server._site.connections
        accepted = connection.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60
        writer.close()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_client_that_does_not_read_holds_little_memory(loop: str) -> None:
    """However much there is to write to it; when it goes, the writer is told."""
    gone = asyncio.Event()

    async def serve(channel: Channel) -> None:
        async def write() -> None:
            await channel.start(200, [])
            while True:
                await channel.write(b"a" * 200_000)

        assert channel.link is not None
        try:
            await while_linked(write(), channel.link)
        except ClientGone:
            gone.set()

    async def stare() -> None:
        async with served(Script(serve)) as (server, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000)
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            assert server._site is not None
            [connection] = server._site.connections
            for _ in range(3):
                while not connection.flow.is_paused:  # noqa: ASYNC110 - it tells nobody but its writers
                    await asyncio.sleep(0.0)
                assert connection.transport.get_write_buffer_size() <= 256 * 1024
                await reader.readexactly(1_000_000)
            writer.transport.abort()
            await gone.wait()

    (uvloop.run if loop == "uvloop" else asyncio.run)(asyncio.wait_for(stare(), 20.0))


@pytest.mark.real_loop(timeout_s=20)
async def test_told_to_stop_before_it_runs_it_stops_at_once() -> None:
    """Its sockets are closed then."""
    listening = bind("127.0.0.1:0")
    server = HttpServer(Script(mirror), ServerSettings(), [listening])
    server.begin_stop()
    started: list[bool] = []
    await server.run(lambda: started.append(True))
    assert (started, listening.fileno()) == ([True], -1)


@pytest.mark.real_loop(timeout_s=20)
async def test_answers_that_take_too_long_are_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    """Which is logged and kept; `run` returns all the same."""
    begun = asyncio.Event()

    async def serve(channel: Channel) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with served(Script(serve)) as (server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await begun.wait()
        server.begin_stop(0.0)
        assert await reader.read() == b""
        writer.close()
    assert "cut off" in caplog.text
    assert server.has_cut


def test_it_says_where_it_listens_in_ipv6_too() -> None:
    """With brackets, as a URL has it."""
    with contextlib.closing(bind("[::1]:0")) as listening:
        server = HttpServer(Script(mirror), ServerSettings(), [listening])
        assert server.urls == [f"http://[::1]:{listening.getsockname()[1]}"]
