"""Reading a reply's body: whole, in parts, and not at all."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.transports.wire.client import HttpClient
from pointsman.transports.wire.errors import BodyTooLarge, ConnectionClosed
from tests.transports.raw_server import Talk, serve

pytestmark = pytest.mark.real_loop(timeout_s=20)

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


async def test_chunks_come_as_the_server_sends_them() -> None:
    """The server waits for the reader to have one before it sends the next."""
    taken = asyncio.Semaphore(0)

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(CHUNKED)
        for part in (b"one", b"two", b"three"):
            talk.send(b"%x\r\n%b\r\n" % (len(part), part))
            await taken.acquire()
        talk.send(b"0\r\n\r\n")

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        parts: list[bytes] = []
        with await client.request("GET", "", []) as response:
            async for chunk in response.chunks():
                parts.append(chunk)
                taken.release()
        assert parts == [b"one", b"two", b"three"]
        assert client.idle_connections == 1
        await client.close()


async def test_a_body_may_be_as_long_as_its_limit_and_no_longer() -> None:
    """Beyond it the connection is closed; the rest is not read."""

    async def script(talk: Talk) -> None:
        while True:
            await talk.request()
            talk.answer(b"12345")

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        with await client.request("GET", "", []) as response:
            assert await response.read(5) == b"12345"
        assert client.idle_connections == 1
        with await client.request("GET", "", []) as response, pytest.raises(BodyTooLarge, match="longer than 4 bytes"):
            await response.read(4)
        assert client.idle_connections == 0
        await client.close()


async def test_an_endless_body_is_given_up_at_its_limit() -> None:
    """And the server sees it."""
    closed = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                talk.send(b"x" * 65_536)
                await talk.drain()
        except ConnectionError:
            closed.set()

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        response = await client.request("GET", "", [])
        with pytest.raises(BodyTooLarge):
            await response.read(1_000_000)
        await closed.wait()
        await client.close()


async def test_a_server_faster_than_its_reader_has_to_wait() -> None:
    """While nobody reads, it cannot put more than a bounded amount under way; then all of it arrives."""
    total = 64 * 1_048_576
    sent = 0

    async def script(talk: Talk) -> None:
        nonlocal sent
        await talk.request()
        talk.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total)
        while sent < total:
            talk.send(b"x" * 262_144)
            sent += 262_144
            await talk.drain()

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        with await client.request("GET", "", []) as response:
            before = -1
            while sent != before:
                before = sent
                for _ in range(1000):
                    await asyncio.sleep(0)
            assert sent < total // 2
            received = 0
            async for chunk in response.chunks():
                received += len(chunk)
        assert received == total
        await client.close()


async def test_leaving_the_block_early_closes_the_connection() -> None:
    """The server sees it at once, and the next request gets another connection."""
    closed = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(CHUNKED + b"1\r\na\r\n")
        await talk.closed()
        closed.set()

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        with await client.request("GET", "", []) as response:
            async for chunk in response.chunks():
                assert chunk == b"a"
                break
        assert client.idle_connections == 0
        await closed.wait()
        await client.close()


async def test_a_body_cut_short_gives_out_what_came() -> None:
    """Then it says that the rest will not come."""

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
        talk.close()

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        with await client.request("GET", "", []) as response:
            chunks = response.chunks()
            assert await anext(chunks) == b"abc"
            with pytest.raises(ConnectionClosed, match="middle of its reply"):
                await anext(chunks)
        await client.close()


async def test_a_released_response_does_not_touch_the_connections_next_exchange() -> None:
    """It may be released again, late."""

    async def script(talk: Talk) -> None:
        while True:
            talk.answer((await talk.request()).body)

    async with serve(script) as server:
        client = HttpClient(server.url, max_connections=1)
        first = await client.request("POST", "", [], b"1")
        assert await first.read(10) == b"1"
        second = await client.request("POST", "", [], b"2")
        first.release()
        assert await first.read(10) == b""
        assert await second.read(10) == b"2"
        assert server.connections == 1
        await client.close()
