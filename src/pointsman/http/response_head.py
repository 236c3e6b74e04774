"""Writes the head of an answer: status line, date, headers. What frames the body is decided by `turn`, and only there.

Status line and date are the same for a second, so they are kept. A name or value that holds a line's end would let
whoever wrote it forge a second answer (RFC 9112, 11.1): such a head is refused as a whole, by counting its lines.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from pointsman.http.channel import Fields

CLOSE_FIELD: Final = (b"connection", b"close")
"""By this header, written exactly so, the application asks for the end of the connection."""

CLOSE: Final = b"connection: close\r\n"
CHUNKED: Final = b"transfer-encoding: chunked\r\n"

_PHRASES: Final = {status.value: status.phrase.encode() for status in HTTPStatus}

_CR, _LF = b"\r\n"

_OURS: Final = frozenset({b"connection", b"date", b"keep-alive", b"transfer-encoding"})
"""Headers that only the server writes."""


class Heads:
    """Writes heads.

    Args:
        wall: returns Unix seconds, for the date.
    """

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._openings: dict[int, bytes] = {}
        self._until_s = float("-inf")

    def encode(self, now: float, status: int, headers: Fields, framing: bytes) -> bytes:
        """Return a head, its empty line included.

        Args:
            now: monotonic seconds; the date is at most one of them old.
            status: 200..599.
            headers: names in lower case. `connection` and its like are left out, and `content-length` where the status
                allows none (RFC 9110, 8.6).
            framing: lines that the server adds.

        Raises:
            ValueError: a name or a value holds a line's end.
        """
        if now >= self._until_s:
            self._openings.clear()
            self._until_s = now + 1.0
        opening = self._openings.get(status)
        if opening is None:
            opening = self._openings[status] = self._opening(status)
        if status == 204:
            headers = [field for field in headers if field[0] != b"content-length"]
        return b"%b%b\r\n" % (opening, _lines([field for field in headers if field[0] not in _OURS], framing))

    def encode_as_is(self, status: int, headers: Fields, framing: bytes) -> bytes:
        """Return the head of an answer that somebody else gave, its empty line included: no date is added.

        Args:
            status: 200..999.
            headers: names in lower case; none of them belongs to a connection.
            framing: lines that the server adds.

        Raises:
            ValueError: a name or a value holds a line's end.
        """
        return b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, _PHRASES.get(status, b""), _lines(headers, framing))

    def _opening(self, status: int) -> bytes:
        phrase = _PHRASES.get(status, b"")
        date = formatdate(self._wall(), usegmt=True).encode()
        return b"HTTP/1.1 %d %b\r\ndate: %b\r\n" % (status, phrase, date)


def _lines(headers: Fields, framing: bytes) -> bytes:
    lines = [b": ".join(field) for field in headers]
    ends = len(lines) + (framing.count(_LF) if framing else 0)
    lines.append(framing)
    fields = b"\r\n".join(lines)
    if fields.count(_LF) != ends or fields.count(_CR) != ends:
        raise ValueError(f"a header of the answer holds a line's end: {list(headers)!r}")
    return fields
