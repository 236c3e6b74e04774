"""An old router that is nothing but sockets: it writes down what it is asked, byte for byte, and answers as it is told.

    async with old_router(script) as old: ... old.url, old.seen

`script` is given a request and returns what is written: a `Says`, or several steps of one.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl as tls
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple

Header = tuple[bytes, bytes]

HOP_BY_HOP = {
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}


class Asked(NamedTuple):
    """A request as it came; names of headers in lower case."""

    method: bytes
    target: bytes
    headers: list[Header]
    body: bytes

    def all(self, name: bytes) -> list[bytes]:
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]

    @property
    def passing(self) -> list[Header]:
        """Headers that a proxy passes on, but for Host."""
        return [field for field in self.headers if field[0] not in HOP_BY_HOP | {b"host"}]


class Says(NamedTuple):
    """What is written: parts, one after the other, each once the one before has gone; then the connection goes on."""

    parts: Sequence[bytes]
    closes: bool = False


class Talk:
    """A connection, for scripts that need it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.gone = asyncio.Event()


Script = Callable[[Asked, Talk], Awaitable[Says]]


class OldRouter:
    """One that runs."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.seen: list[Asked] = []
        self.connections = 0
        self.lost = 0
        self.url = ""
        self.authority = b""
        self.refuses_expectations = False

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer on one connection until it ends."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                says = await self._answer(head, reader, writer)
                for part in says.parts:
                    writer.write(part)
                    await writer.drain()
                if says.closes:
                    break

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Says:
        first, *lines = head[:-4].split(b"\r\n")
        method, target, _ = first.split(b" ")
        headers = [(name.lower(), value.strip(b" \t")) for name, _, value in (line.partition(b":") for line in lines)]
        fields = dict(headers)
        if fields.get(b"expect", b"").lower() == b"100-continue":
            if self.refuses_expectations:
                self.seen.append(Asked(method, target, headers, b""))
                return Says([b"HTTP/1.1 417 Expectation Failed\r\ncontent-length: 2\r\n\r\nno"], closes=True)
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if b"transfer-encoding" in fields:
            body = await _chunks(reader)
        else:
            body = await reader.readexactly(int(fields.get(b"content-length", b"0")))
        asked = Asked(method, target, headers, body)
        self.seen.append(asked)
        return await self.script(asked, Talk(reader, writer))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\n")).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    while await reader.readuntil(b"\n") != b"\r\n":
        pass
    return body


@contextlib.asynccontextmanager
async def old_router(
    script: Script, ssl: tls.SSLContext | None = None, kind: type[OldRouter] = OldRouter
) -> AsyncIterator[OldRouter]:
    """Run one on a free port until the block ends."""
    old = kind(script)
    tasks: list[asyncio.Task[None]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        old.connections += 1
        try:
            await old.talk(reader, writer)
        finally:
            old.lost += 1
            writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.get_running_loop().create_task(talk(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=ssl, limit=1 << 26)
    port = server.sockets[0].getsockname()[1]
    old.authority = f"127.0.0.1:{port}".encode()
    old.url = f"{'https' if ssl else 'http'}://127.0.0.1:{port}"
    try:
        yield old
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
    for result in results:
        if isinstance(result, Exception):
            raise result


def plain(body: bytes = b"old", status: bytes = b"200 OK", *lines: bytes) -> Says:
    """A whole answer with its length."""
    head = b"HTTP/1.1 %b\r\ncontent-length: %d\r\n%b\r\n" % (
        status,
        len(body),
        b"".join(b"%b\r\n" % one for one in lines),
    )
    return Says([head + body])


async def always(asked: Asked, talk: Talk) -> Says:
    """Answer `old`, whatever is asked."""
    return plain()
