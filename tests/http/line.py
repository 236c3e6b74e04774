"""A connection of our own server without a network: the test holds the client's end of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from pointsman.http import problems
from pointsman.http.channel import Channel
from pointsman.http.connection import Connection
from pointsman.http.exchange import Response
from pointsman.http.problems import Problem
from pointsman.http.site import Application, Site
from pointsman.model.settings import ServerSettings
from pointsman.sim import SimClock

HIGH_BYTES = 65_536


class Answer(NamedTuple):
    """One answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire(asyncio.Transport):
    """The test's end of a connection; a client that reads everything at once, unless it is told to be slow."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: Connection | None = None
        self.writes: list[bytes] = []
        self.closed = False
        self.aborted = False
        self.paused = False
        self.is_slow = False
        self.unread_bytes = 0
        self.options: list[tuple[Any, ...]] = []
        self.error = 0

    @property
    def written(self) -> bytes:
        """All that has been written."""
        return b"".join(self.writes)

    def write(self, data: Any) -> None:
        assert not self.closed, data
        self.writes.append(bytes(data))
        if self.is_slow:
            self.unread_bytes += len(data)
            if self.unread_bytes > HIGH_BYTES and self.protocol is not None:
                self.protocol.pause_writing()

    def read(self, size: int) -> None:
        """Take so many bytes as the slow client."""
        self.unread_bytes -= size
        if self.unread_bytes <= HIGH_BYTES // 4 and self.protocol is not None:
            self.protocol.resume_writing()

    def get_write_buffer_size(self) -> int:
        return self.unread_bytes

    def close(self) -> None:
        self.closed = True
        if not self.unread_bytes:
            self._lose()

    def abort(self) -> None:
        self.aborted = self.closed = True
        self._lose()

    def _lose(self) -> None:
        if self.protocol is not None:
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)
            self.protocol = None

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        assert not self.paused
        self.paused = True

    def resume_reading(self) -> None:
        assert self.paused
        self.paused = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self if name == "socket" else default

    def setsockopt(self, *option: Any) -> None:
        self.options.append(option)

    def getsockopt(self, level: int, option: int) -> int:
        return self.error


class Line:
    """A connection to an application.

    Args:
        app: the application.
        settings: bounds.
        site: shared with other connections, instead of both.
    """

    def __init__(
        self, app: Application | None = None, settings: ServerSettings | None = None, site: Site | None = None
    ) -> None:
        if site is None:
            assert app is not None
            site = Site(app, settings or ServerSettings(), SimClock(), asyncio.get_running_loop())
        self.site = site
        self.wire = Wire()
        self.connection = Connection(site)
        self.wire.protocol = self.connection
        self.connection.connection_made(self.wire)

    async def send(self, *pieces: bytes) -> list[Answer]:
        """Send bytes; return all answers once everything has happened that can happen now."""
        for piece in pieces:
            self.feed(piece)
            await settle()
        return self.answers()

    def feed(self, piece: bytes) -> None:
        """Send bytes and wait for nothing."""
        if not self.wire.closed:
            assert not self.wire.paused, "the server reads no more now"
            self.connection.data_received(piece)

    async def end(self) -> bool:
        """Send no more, as a client that may still read; returns whether the server keeps the connection."""
        keeps = self.connection.eof_received()
        if not keeps:
            self.wire.close()
        await settle()
        return keeps

    async def hang_up(self) -> None:
        """Close the connection from the client's side."""
        self.wire.abort()
        await settle()

    def answers(self) -> list[Answer]:
        """What has been answered so far, interim answers too."""
        return read_answers(self.wire.written)


def read_answers(written: bytes, bare: int = 0) -> list[Answer]:
    """Take a stream of answers apart; each has its length, or is chunked, or is the last; a cut one too.

    Args:
        written: the stream.
        bare: how many answers have no body, from the first on, because they are to HEAD.
    """
    found: list[Answer] = []
    rest = written
    while rest:
        head, _, rest = rest.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        _, status, _ = first.split(" ", 2)
        headers: dict[str, str] = {}
        for line in lines:
            name, value = line.split(": ", 1)
            assert name not in headers, name
            headers[name] = value
        if len(found) < bare or status in {"100", "204", "304"}:
            body = b""
        elif headers.get("transfer-encoding") == "chunked":
            body, rest = _dechunk(rest)
        else:
            size = int(headers.get("content-length", len(rest)))
            body, rest = rest[:size], rest[size:]
        found.append(Answer(int(status), headers, body))
    return found


def _dechunk(rest: bytes) -> tuple[bytes, bytes]:
    chunks: list[bytes] = []
    while True:
        size, _, rest = rest.partition(b"\r\n")
        if not size:
            return b"".join(chunks), b""
        length = int(size, 16)
        chunk, rest = rest[:length], rest[length:]
        assert rest.startswith(b"\r\n"), rest[:20]
        rest = rest[2:]
        if not length:
            return b"".join(chunks), rest
        chunks.append(chunk)


async def settle() -> None:
    """Let everything happen that can happen now."""
    await asyncio.sleep(0.001)


class Script:
    """An application that is a function; implements `Application`."""

    def __init__(self, serve: Callable[[Channel], Awaitable[None]]) -> None:
        self._serve = serve
        self.seen: list[tuple[str, str, bytes]] = []
        self.faults = 0

    async def serve(self, channel: Channel) -> None:
        """Answer as the function does."""
        self.seen.append((channel.method, channel.path, channel.query))
        await self._serve(channel)

    def refusal(self, problem: Problem, path: str) -> Response:
        """Return a problem."""
        body = problems.encode(problem, path)
        return Response(problem.status, body, problems.MEDIA_TYPE, tuple(problems.headers(problem)))

    def faulted(self) -> None:
        """Count it."""
        self.faults += 1


async def take(channel: Channel) -> bytes:
    """Receive a whole body, piece by piece."""
    pieces = []
    more = True
    while more:
        event = await channel.receive()
        if event["type"] == "http.disconnect":
            raise ConnectionError
        pieces.append(event["body"])
        more = event["more_body"]
    return b"".join(pieces)


def length(body: bytes) -> tuple[bytes, bytes]:
    """Return the header that tells the length of a body."""
    return b"content-length", b"%d" % len(body)


async def mirror(channel: Channel) -> None:
    """Answer with method, path, query and body."""
    body = channel.arrived()
    if body is None:
        body = await take(channel)
    text = b" ".join([channel.method.encode(), channel.path.encode(), channel.query, body])
    await channel.respond(200, [length(text)], text)
