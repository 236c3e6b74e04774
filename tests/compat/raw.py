"""A client of bytes: sends exactly what it is given, and returns exactly what comes, with nothing understood away.

Only the framing is taken off a body; how it ended is told: by its length, by a last chunk, by the end of the
connection or by a reset.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

TIMEOUT_S = 15.0
USUAL = (("content-type", "application/json"), ("authorization", "Bearer client-key-1234567890"))
"""What goes with each request that does not say it itself; a key in another header takes the place of this one."""


@dataclass
class Answer:
    """One answer.

    Attributes:
        fields: header lines in their order, names in lower case.
        body: without its framing.
        chunks: pieces in which a chunked body came.
        ended: `length`, `chunked`, `none`, `fin`, `early` (the connection ended too soon) or `reset`.
        interim: statuses of 1xx heads before it.
        trailers: after a chunked body.
    """

    status: int
    fields: list[tuple[str, str]]
    body: bytes = b""
    chunks: list[bytes] = field(default_factory=list)
    ended: str = ""
    interim: list[int] = field(default_factory=list)
    trailers: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first value of a header."""
        return next((value for known, value in self.fields if known == name), None)


class RawClient:
    """One connection to a server."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = f"{parts.hostname}:{parts.port}"
        self._socket = socket.create_connection((parts.hostname, parts.port), TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._socket.sendall(data)

    def request(self, path: str, body: bytes, *fields: tuple[str, str], method: str = "POST") -> bytes:
        """Return the bytes of a request with a content-length; JSON and a key, unless the fields say otherwise."""
        named = {"authorization" if name.lower() == "x-api-key" else name.lower() for name, _ in fields}
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in USUAL if name not in named]
        lines += [f"{name}: {value}" for name, value in fields]
        return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1") + body

    def ask(self, path: str, body: bytes, *fields: tuple[str, str], method: str = "POST") -> Answer:
        """Send a request and read its whole answer."""
        self.send(self.request(path, body, *fields, method=method))
        return self.answer()

    def answer(self, after: int = 0, then: Callable[[], None] | None = None) -> Answer:
        """Read an answer to its end; call `then` as soon as so many bytes of a chunked body have come."""
        found = self.head()
        try:
            self._read_body(found, after, then)
        except EOFError:
            found.ended = "early"
        except ConnectionResetError:
            found.ended = "reset"
        return found

    def head(self) -> Answer:
        """Read up to the end of the head."""
        interim: list[int] = []
        while True:
            lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
            status = int(lines[0].split(" ")[1])
            if status >= 200:
                break
            interim.append(status)
        pairs = [line.partition(":") for line in lines[1:-2]]
        return Answer(status, [(name.lower(), value.strip()) for name, _, value in pairs], interim=interim)

    def chunk(self) -> bytes:
        """Read one chunk of a chunked body; empty at its end."""
        size = int(self._until(b"\r\n").split(b";")[0], 16)
        return self._exactly(size + 2)[:-2] if size else b""

    def _read_body(self, found: Answer, after: int, then: Callable[[], None] | None) -> None:
        length = found.header("content-length")
        if found.header("transfer-encoding") == "chunked":
            while piece := self.chunk():
                found.chunks.append(piece)
                found.body += piece
                if then is not None and len(found.body) >= after:
                    then()
                    then = None
            while (line := self._until(b"\r\n")) != b"\r\n":
                found.trailers += line
            found.ended = "chunked"
        elif length is not None:
            self._read_length(found, int(length))
        elif found.status in {204, 304}:
            found.ended = "none"
        else:
            found.ended = "fin"
            found.body, self._buffer = self._buffer, b""
            while piece := self._receive():
                found.body += piece

    def _read_length(self, found: Answer, left: int) -> None:
        parts: list[bytes] = []
        try:
            while left:
                parts.append(self._some(left))
                left -= len(parts[-1])
            found.ended = "length"
        finally:
            found.body = b"".join(parts)

    def _until(self, marker: bytes) -> bytes:
        while (at := self._buffer.find(marker)) < 0:
            self._buffer += self._must_receive()
        taken, self._buffer = self._buffer[: at + len(marker)], self._buffer[at + len(marker) :]
        return taken

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._buffer += self._must_receive()
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _some(self, most: int) -> bytes:
        if not self._buffer:
            self._buffer = self._must_receive()
        taken, self._buffer = self._buffer[:most], self._buffer[most:]
        return taken

    def _must_receive(self) -> bytes:
        data = self._receive()
        if not data:
            raise EOFError
        return data

    def _receive(self) -> bytes:
        return self._socket.recv(262_144)
