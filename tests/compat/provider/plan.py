"""How one request is answered, down to the bytes and to what happens between them. Plain data, no sockets.

An answer's body is a row of pieces: bytes, and between them a `Gate` (wait until the test opens it, or for ever), a
`Pause` or a `Cut`. With framing `chunked` each piece is one chunk, so that a piece may end in the middle of a
character.
"""

from __future__ import annotations

import asyncio
import enum
import json
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Literal

JSON = "application/json"
EVENTS = "text/event-stream; charset=utf-8"

PHRASES = {
    200: "OK",
    204: "No Content",
    301: "Moved Permanently",
    302: "Found",
    307: "Temporary Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    413: "Content Too Large",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}


class Gate:
    """Holds an answer until the test opens it. One that stays shut is a worker that has fallen silent."""

    def __init__(self) -> None:
        self._opened: Future[None] = Future()

    def open(self) -> None:
        """Let it go on; may be called from any thread, and twice."""
        if not self._opened.done():
            self._opened.set_result(None)

    async def passed(self) -> None:
        """Wait until it is open."""
        await asyncio.shield(asyncio.wrap_future(self._opened))


@dataclass(frozen=True)
class Pause:
    """Hold an answer for so many seconds; for measurements, where time itself is the subject."""

    seconds: float


class Cut(enum.Enum):
    """End the connection in the middle of an answer: in order, or by a reset."""

    FIN = "fin"
    RST = "rst"


Piece = bytes | Gate | Pause | Cut
Field = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One answer.

    Attributes:
        status: of HTTP.
        headers: header lines in their order; content-length, transfer-encoding and connection come from the framing.
        pieces: the body, and what happens between its parts.
        framing: `length` (content-length), `chunked`, or `close`: the body ends with the connection.
        declared: content-length where it is not the sum of the pieces.
        before: what happens before the first byte of the head.
        interim: whole 1xx heads that go first.
        trailers: after a chunked body.
        closes: say `connection: close` and close after the answer.
    """

    status: int = 200
    headers: tuple[Field, ...] = (("content-type", JSON),)
    pieces: Sequence[Piece] = ()
    framing: Literal["length", "chunked", "close"] = "length"
    declared: int | None = None
    before: Gate | Pause | Cut | None = None
    interim: bytes = b""
    trailers: tuple[Field, ...] = ()
    closes: bool = False

    @property
    def body(self) -> bytes:
        """What the body comes to."""
        return b"".join(piece for piece in self.pieces if isinstance(piece, bytes))

    def with_headers(self, *headers: Field) -> Plan:
        """Return the same answer with more headers."""
        return replace(self, headers=(*self.headers, *headers))

    def with_pieces(self, pieces: Sequence[Piece]) -> Plan:
        """Return the same head with another body."""
        return replace(self, pieces=pieces)

    def cut_after(self, size: int, how: Cut) -> Plan:
        """Return the same answer, broken off after so many bytes of its body."""
        kept = list(split_at(self.pieces, size))
        return replace(self, pieces=[*kept, how], declared=len(self.body))

    def silent_after(self, size: int) -> Plan:
        """Return the same answer, which says nothing more after so many bytes of its body."""
        return replace(self, pieces=[*split_at(self.pieces, size), Gate()], declared=len(self.body))

    def byte_by_byte(self) -> Plan:
        """Return the same answer in pieces of one byte."""
        return replace(self, pieces=cut_up(self.body, 1))


def json_plan(value: Any, status: int = 200, *headers: Field, ascii_only: bool = False) -> Plan:
    """Return a whole answer that holds a value as JSON, written as the public APIs write it."""
    body = json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":")).encode()
    return Plan(status=status, headers=(("content-type", JSON), *headers), pieces=[body])


def cut_up(body: bytes, size: int) -> list[bytes]:
    """Return a body in pieces of one size, however the characters fall."""
    return [body[start : start + size] for start in range(0, len(body), size)]


def split_at(pieces: Sequence[Piece], size: int) -> list[Piece]:
    """Return the first `size` bytes of the pieces, in their pieces."""
    kept: list[Piece] = []
    left = size
    for piece in pieces:
        if left == 0:
            break
        part = piece[:left] if isinstance(piece, bytes) else piece
        kept.append(part)
        left -= len(part) if isinstance(part, bytes) else 0
    return kept
