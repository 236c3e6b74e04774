"""Clients that end what they send, on real sockets: those who still read, and those who are gone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from pointsman.http.channel import Channel
from pointsman.http.half_closed import INTERIM, RARELY_S
from pointsman.http.server import HttpServer, bind
from pointsman.http.waiting import ClientGone, while_linked
from pointsman.model.settings import ServerSettings
from tests.http.line import Line, Script, length

REQUEST = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n"


class Desk:
    """An application that answers once it is let, and notes who went."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.begun = asyncio.Event()
        self.gone = asyncio.Event()
        self.app = Script(self._serve)

    async def _serve(self, channel: Channel) -> None:
        assert channel.link is not None
        self.begun.set()
        try:
            await while_linked(self._work(), channel.link)
        except ClientGone:
            self.gone.set()
            return
        await channel.respond(200, [length(b"ok")], b"ok")

    async def _work(self) -> None:
        await self.go.wait()


def on_both(test: Callable[[Desk, tuple[str, int]], Coroutine[Any, Any, None]], loop: str) -> None:
    """Run a test against a server, in one of the event loops."""

    async def run() -> None:
        desk, started = Desk(), asyncio.Event()
        listening = bind("127.0.0.1:0")
        address = listening.getsockname()
        server = HttpServer(desk.app, ServerSettings(), [listening])
        serving = asyncio.create_task(server.run(started.set))
        await started.wait()
        try:
            await asyncio.wait_for(test(desk, address), 20.0)
        finally:
            desk.go.set()
            server.begin_stop()
            await serving

    (uvloop.run if loop == "uvloop" else asyncio.run)(run())


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_one_who_still_reads_gets_the_answer(loop: str) -> None:
    """After an interim answer, if it takes its time; an HTTP client's parser skips that."""

    async def half_close(desk: Desk, address: tuple[str, int]) -> None:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(REQUEST)
        writer.write_eof()
        assert await reader.readexactly(len(INTERIM)) == INTERIM
        desk.go.set()
        assert (await reader.read()).endswith(b"\r\n\r\nok")
        assert not desk.gone.is_set()
        writer.close()

    on_both(half_close, loop)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_quick_answer_comes_alone(loop: str) -> None:
    """Nobody had to be asked."""

    async def half_close(desk: Desk, address: tuple[str, int]) -> None:
        desk.go.set()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(REQUEST)
        writer.write_eof()
        assert (await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n")
        writer.close()

    on_both(half_close, loop)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("way", ["close", "reset", "close after half-closing"])
def test_one_who_is_gone_is_found_out(loop: str, way: str) -> None:
    """However it went; nothing else happens on its connection that would tell."""

    async def leave(desk: Desk, address: tuple[str, int]) -> None:
        with socket.create_connection(address) as client:
            client.sendall(REQUEST)
            await desk.begun.wait()
            if way == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            elif way != "close":
                client.shutdown(socket.SHUT_WR)
        await desk.gone.wait()

    on_both(leave, loop)


async def test_one_who_goes_much_later_is_found_out_too() -> None:
    """It is asked as long as the answer takes, only less often."""
    desk = Desk()
    line = Line(desk.app)
    await line.send(REQUEST)
    await line.end()
    await asyncio.sleep(100 * RARELY_S)
    assert not line.wire.closed
    line.wire.error = 104
    await asyncio.sleep(RARELY_S)
    assert line.wire.closed
    assert line.wire.writes == [INTERIM]


async def test_nobody_is_asked_once_the_answer_has_begun() -> None:
    """Or is over: an interim answer would stand in the middle of it."""
    for chunks in (0, 1):

        async def serve(channel: Channel, chunks: int = chunks) -> None:
            await asyncio.sleep(0.003)
            await channel.start(200, [])
            if chunks:
                await channel.write(b"hello")
                await asyncio.sleep(1.0)
            await channel.end()

        line = Line(Script(serve))
        await line.send(REQUEST)
        assert await line.end()
        await asyncio.sleep(2.0)
        assert INTERIM not in line.wire.written
        assert line.wire.written.endswith(b"0\r\n\r\n")


async def test_nobody_is_asked_on_a_connection_that_has_been_broken_off() -> None:
    """There is no way to."""

    async def serve(channel: Channel) -> None:
        await asyncio.sleep(0.003)
        channel.abort()

    line = Line(Script(serve))
    await line.send(REQUEST)
    assert await line.end()
    await asyncio.sleep(2.0)
    assert line.wire.writes == []


async def test_one_who_is_gone_is_found_out_although_the_answer_has_just_begun() -> None:
    """Once a client left in the milliseconds before the first token: nobody asked, as the answer had begun, and the
    worker went on for a stream that nobody read until its next token, or its time-out.
    """
    gone = asyncio.Event()

    async def stream(channel: Channel) -> None:
        await asyncio.sleep(0.003)
        await channel.start(200, [])
        await channel.write(b"hello")
        await asyncio.sleep(3600.0)

    async def serve(channel: Channel) -> None:
        assert channel.link is not None
        try:
            await while_linked(stream(channel), channel.link)
        except ClientGone:
            gone.set()

    line = Line(Script(serve))
    await line.send(REQUEST)
    assert await line.end()
    line.wire.error = 104
    await asyncio.sleep(0.05)
    assert gone.is_set()
    assert INTERIM not in line.wire.written
