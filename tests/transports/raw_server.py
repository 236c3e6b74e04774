"""A TCP server whose every byte the test decides: each connection is given to an async function.

    async def script(talk: Talk) -> None:
        await talk.request()
        talk.send(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with serve(script) as server: ... server.url ...

A script that returns leaves its connection open; `Talk.close` and `Talk.reset` end it. All is closed at the end of the
block, and an error in a script fails the test there.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from socket import SO_LINGER, SOL_SOCKET
from ssl import SSLContext
from typing import Any, NamedTuple


class Request(NamedTuple):
    """A request as it came."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Talk:
    """One connection, seen from the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def request(self) -> Request:
        """Read one request with a content-length (or none). Raises IncompleteReadError at the end of the stream."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *fields = head[:-4].split("\r\n")
        headers = [(name.lower(), value) for name, _, value in (field.partition(": ") for field in fields)]
        length = next((int(value) for name, value in headers if name == "content-length"), 0)
        return Request(first, headers, await self._reader.readexactly(length))

    async def line(self) -> bytes:
        """Read one line; empty at the end of the stream."""
        return await self._reader.readline()

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    def answer(self, body: bytes, status: str = "200 OK", *headers: str) -> None:
        """Send a whole reply with its length."""
        lines = "".join(f"{header}\r\n" for header in headers)
        self.send(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{lines}\r\n".encode() + body)

    async def drain(self) -> None:
        await self._writer.drain()

    async def closed(self) -> None:
        """Wait until the client has closed; what it still sends is read and dropped."""
        try:
            while await self._reader.read(65_536):
                pass
        except ConnectionError:
            pass

    def close(self) -> None:
        self._writer.close()

    def reset(self) -> None:
        """Close so that the client sees a reset instead of an end."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


class Server:
    """A server that runs; counts the connections it took."""

    def __init__(self, port: int, scheme: str) -> None:
        self.port = port
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.connections = 0


async def turn_until(condition: Callable[[], Any]) -> None:
    """Let the event loop turn until something has reached this side; for what no event tells."""
    while not condition():  # noqa: ASYNC110  # the state of a socket has no event of its own
        await asyncio.sleep(0)


@asynccontextmanager
async def serve(
    script: Callable[[Talk], Awaitable[None]], tls: SSLContext | None = None, port: int = 0
) -> AsyncIterator[Server]:
    """Run a server on a free port, or on a given one."""
    tasks: list[asyncio.Task[None]] = []
    talks: list[Talk] = []

    async def play(talk: Talk) -> None:
        try:
            await script(talk)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        talks.append(Talk(reader, writer))
        tasks.append(asyncio.get_running_loop().create_task(play(talks[-1])))

    listener = await asyncio.start_server(connected, "127.0.0.1", port, ssl=tls, limit=1 << 27)
    server = Server(listener.sockets[0].getsockname()[1], "https" if tls else "http")
    try:
        yield server
    finally:
        listener.close()
        for talk in talks:
            talk.close()
        for task in tasks:
            if not task.done():
                task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result
