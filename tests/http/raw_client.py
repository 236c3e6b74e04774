"""A client that sends the bytes it is given, and reads answers by h11, which is none of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import h11

Header = tuple[bytes, bytes]


class Got(NamedTuple):
    """An answer: names of headers in lower case; `is_whole` is false where the connection broke off inside it."""

    status: int
    headers: list[Header]
    body: bytes
    is_whole: bool = True

    def all(self, name: bytes) -> list[bytes]:
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]


class RawClient:
    """Keeps a connection as long as the answers allow."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, parts: Sequence[bytes], method: bytes) -> Got:
        """Send a request in parts, and read its answer."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._reader, self._writer
        assert reader is not None
        sending = asyncio.get_running_loop().create_task(_send(writer, parts))
        got, goes_on = await read(reader, method)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        if not goes_on or sending.cancelled():
            self.close()
        return got

    def close(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def _send(writer: asyncio.StreamWriter, parts: Sequence[bytes]) -> None:
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0)


async def read(reader: asyncio.StreamReader, method: bytes) -> tuple[Got, bool]:
    """Return the next answer, and whether the connection goes on."""
    parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    parser.send(h11.Request(method=method, target=b"/", headers=[(b"host", b"x")]))
    parser.send(h11.EndOfMessage())
    status, data = 0, b"?"
    headers: list[Header] = []
    pieces: list[bytes] = []
    while True:
        try:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                data = await reader.read(65_536)
                parser.receive_data(data)
                continue
        except (h11.RemoteProtocolError, ConnectionError):
            return Got(status, headers, b"".join(pieces), False), False
        if isinstance(event, h11.Response):
            status, headers = event.status_code, list(event.headers)
        elif isinstance(event, h11.Data):
            pieces.append(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            goes_on = parser.their_state is h11.DONE and bool(data)
            return Got(status, headers, b"".join(pieces), isinstance(event, h11.EndOfMessage)), goes_on


def request(
    method: bytes = b"GET",
    target: bytes = b"/",
    *headers: Header,
    body: bytes | None = None,
    host: bytes = b"localhost",
) -> bytes:
    """Return a request with these headers, and the length of its body if it has one."""
    lines = [b"%b %b HTTP/1.1" % (method, target), b"host: " + host, *[b"%b: %b" % field for field in headers]]
    if body is not None:
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join([*lines, b"", b""]) + (body or b"")
