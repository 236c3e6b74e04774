"""Large and tiny, slow and broken: bodies pass unharmed, memory stays bounded, and an early answer is read.

Over real sockets, in both event loops.
"""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import cast

import pytest

from pointsman.transports.wire.client import HttpClient
from pointsman.transports.wire.connection import PAUSE_BYTES, SLICE_BYTES, Connection
from pointsman.transports.wire.errors import ConnectionClosed, Silent
from pointsman.transports.wire.reply_parser import ReplyParser
from tests.transports.raw_server import Talk, serve, turn_until
from tests.transports.wire.loops import in_both_loops
from tests.transports.wire.test_tls import CERTIFICATES, serving

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
UPLOAD = bytes(range(256)) * 131_072  # 32 MiB, as much as the compatible APIs take


def connection_of(client: HttpClient) -> Connection:
    """The only connection there is."""
    (connection,) = client._pool._open
    return connection


def unsent(client: HttpClient) -> int:
    """Bytes of a request that wait in the event loop, between our hands and the system's."""
    return connection_of(client)._transport.get_write_buffer_size()


def trusting() -> ssl.SSLContext:
    """Whoever our authority vouches for, by whatever name."""
    made = ssl.create_default_context(cafile=CERTIFICATES / "authority.pem")
    made.check_hostname = False
    return made


def is_connected(client: HttpClient) -> bool:
    """It has a connection."""
    return client.open_connections == 1


def is_stuck(client: HttpClient) -> bool:
    """The server has stopped to take what we send."""
    return client.open_connections == 1 and unsent(client) > 0


def is_empty(client: HttpClient) -> bool:
    """It has no connection, busy or idle."""
    return client.open_connections == 0


async def pieces_of(stream: list[bytes]) -> list[bytes]:
    """What a reader gets of a reply that is sent in these parts."""

    async def script(talk: Talk) -> None:
        await talk.request()
        for part in stream:
            talk.send(part)
            await talk.drain()

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        with await client.request("GET", "", []) as response:
            pieces = [chunk async for chunk in response.chunks()]
        assert client.idle_connections == 1
        await client.close()
    return pieces


@in_both_loops
async def test_chunks_of_one_byte_pass() -> None:
    """A hundred thousand of them."""
    body = bytes(range(256)) * 400
    pieces = await pieces_of([CHUNKED, b"".join(b"1\r\n%c\r\n" % byte for byte in body), b"0\r\n\r\n"])
    assert b"".join(pieces) == body


@in_both_loops
async def test_chunks_of_8_mib_pass_in_pieces() -> None:
    """Nobody waits for a whole chunk, and nobody holds one."""
    body = UPLOAD[: 8 << 20]
    pieces = await pieces_of([CHUNKED, *[b"%x\r\n" % len(body) + body + b"\r\n"] * 3, b"0\r\n\r\n"])
    assert b"".join(pieces) == body * 3
    assert max(map(len, pieces)) <= 2 * PAUSE_BYTES


@in_both_loops
async def test_a_chunk_may_end_in_the_middle_of_a_character() -> None:
    """Bytes are bytes here."""
    text = "data: Zürich, 東京, 🚂\n\n".encode()
    pieces = await pieces_of([CHUNKED, *(b"1\r\n%c\r\n" % byte for byte in text), b"0\r\n\r\n"])
    assert b"".join(pieces) == text


@in_both_loops
async def test_many_tiny_pieces_that_nobody_takes_do_not_pile_up() -> None:
    """Each would weigh many times what it holds."""
    sent = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(CHUNKED + b"3\r\nabc\r\n" * 50_000)
        await talk.drain()
        sent.set()

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        with await client.request("GET", "", []):
            parser = connection_of(client).parser
            await sent.wait()
            await turn_until(lambda: parser.buffered_bytes == 150_000)
            assert len(parser._chunks) <= 64
        await client.close()


async def read(client: HttpClient) -> bytes:
    """Ask with short bounds on silence."""
    with await client.request("POST", "", [], b"x", first_s=0.05, idle_s=0.05) as response:
        return await response.read(100)


async def refuse_and_close(talk: Talk) -> None:
    """Say no after a little of the body; closing with the rest unread resets the connection."""
    await talk.line()
    talk.send(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 7\r\nconnection: close\r\n\r\ntoo big")
    await talk.drain()
    talk.close()


async def refuse_without_a_length(talk: Talk) -> None:
    """Say no; only the end of the stream ends it."""
    await talk.line()
    talk.send(b"HTTP/1.1 413 Content Too Large\r\n\r\ntoo big")
    await talk.drain()
    talk.close()


async def refuse_and_stay(talk: Talk) -> None:
    """Say no and neither read on nor close."""
    await talk.line()
    talk.send(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 7\r\n\r\nno key!")


@pytest.mark.parametrize(
    ("script", "status", "body"),
    [
        (refuse_and_close, 413, b"too big"),
        (refuse_without_a_length, 413, b"too big"),
        (refuse_and_stay, 401, b"no key!"),
    ],
)
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_an_answer_before_the_body_has_been_sent_is_read(
    script: Callable[[Talk], Awaitable[None]], status: int, body: bytes, loop: str
) -> None:
    """Not lost to the write that then fails. Again and again, because it is a race."""

    @in_both_loops
    async def scenario() -> None:
        async with serve(script) as server:
            client = HttpClient(server.url, max_connections=1)
            for _ in range(5):
                with await client.request("POST", "", [], UPLOAD) as response:
                    assert response.status == status
                    assert await response.read(100) == body
                assert client.idle_connections == 0
            assert server.connections == 5
            await client.close()

    scenario(loop)


@in_both_loops
async def test_a_connection_closed_under_a_large_body_is_told() -> None:
    """Nobody knows what the server did with the part it has; the rest is not pushed after it."""

    async def script(talk: Talk) -> None:
        await talk.line()
        talk.close()

    for tls in (None, serving("worker.pem")):
        async with serve(script, tls) as server:
            client = HttpClient(server.url, max_connections=1, ssl=trusting() if tls else None)
            for _ in range(5):
                asking = asyncio.create_task(client.request("POST", "", [], UPLOAD))
                await turn_until(partial(is_connected, client))
                connection = connection_of(client)
                with pytest.raises(ConnectionClosed) as caught:
                    await asking
                assert not caught.value.started
                assert len(connection._unsent) > len(UPLOAD) / 2
            await turn_until(partial(is_empty, client))
            await client.close()


@in_both_loops
async def test_a_server_that_does_not_read_makes_us_wait() -> None:
    """Of a large body hardly more than a slice or two is held twice; then all of it arrives."""
    go_on = asyncio.Event()
    for tls in (None, serving("worker.pem")):
        go_on.clear()

        async def script(talk: Talk) -> None:
            transport = cast(asyncio.Transport, talk._writer.transport)
            transport.pause_reading()
            await go_on.wait()
            transport.resume_reading()
            talk.answer(b"yes" if (await talk.request()).body == UPLOAD else b"no")

        async with serve(script, tls) as server:
            client = HttpClient(server.url, max_connections=1, ssl=trusting() if tls else None)
            asking = asyncio.create_task(client.request("POST", "", [], UPLOAD))
            await turn_until(partial(is_stuck, client))
            for _ in range(100):
                await asyncio.sleep(0)
                assert unsent(client) <= 3 * SLICE_BYTES
            go_on.set()
            with await asking as response:
                assert await response.read(10) == b"yes"
            assert client.idle_connections == 1
            await client.close()


@in_both_loops
async def test_a_large_body_under_way_is_given_up_at_once_when_cancelled() -> None:
    """The server sees the end; the next request has a connection of its own."""
    closed = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.line()
        await talk.closed()
        closed.set()

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        asking = asyncio.create_task(client.request("POST", "", [], UPLOAD))
        await turn_until(lambda: client.open_connections)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await closed.wait()
        assert client.idle_connections == 0
        await client.close()


@in_both_loops
async def test_streams_that_are_given_up_leave_no_garbage() -> None:
    """Their connections are freed when they are gone, not when garbage is collected."""

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(CHUNKED + b"1\r\na\r\n")
        await talk.closed()

    async def give_up(client: HttpClient) -> None:
        with await client.request("GET", "", [], first_s=100.0, idle_s=100.0) as response:
            async for _ in response.chunks():
                return

    gc.collect()
    gc.disable()
    try:
        async with serve(script) as server:
            client = HttpClient(server.url, max_connections=1)
            for _ in range(10):
                await give_up(client)
            await turn_until(partial(is_empty, client))
            await client.close()
            await asyncio.sleep(0)
            assert not [thing for thing in gc.get_objects() if isinstance(thing, Connection | ReplyParser)]
    finally:
        gc.enable()


@in_both_loops
async def test_a_request_cancelled_while_it_connects_leaves_nothing() -> None:
    """Not even in the turn in which the connection has come about; the client can be closed."""

    async def script(talk: Talk) -> None:
        await talk.closed()

    async with serve(script) as server:
        for turns in range(8):
            client = HttpClient(server.url, max_connections=1)
            asking = asyncio.create_task(client.request("POST", "", [], b"x"))
            for _ in range(turns):
                await asyncio.sleep(0)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await turn_until(partial(is_empty, client))
            await client.close()


@in_both_loops
async def test_silence_ends_a_request_and_its_connection() -> None:
    """Before the head, before the body, inside the body: the server sees it each time."""
    for told in (b"", CHUNKED, CHUNKED + b"1\r\na\r\n"):
        closed = asyncio.Event()

        async def script(talk: Talk, told: bytes = told, closed: asyncio.Event = closed) -> None:
            await talk.request()
            talk.send(told)
            await talk.closed()
            closed.set()

        for tls in (None, serving("worker.pem")):
            closed.clear()
            async with serve(script, tls) as server:
                client = HttpClient(server.url, max_connections=1, ssl=trusting() if tls else None)
                with pytest.raises(Silent) as caught:
                    await read(client)
                assert caught.value.started is told.endswith(b"a\r\n")
                await closed.wait()
                await turn_until(partial(is_empty, client))
                await client.close()
