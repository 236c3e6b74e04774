"""Cuts a stream of bytes into lines of bounded length. No I/O.

A line that grows beyond the bound is reported once, with its beginning, as soon as it does; the rest of it is dropped.
"""

from __future__ import annotations

from typing import NamedTuple

SHOWN_BYTES = 1024
"""How much of the beginning of a line that is too long is kept."""


class Line(NamedTuple):
    """A line without its end; `whole` is false where it was too long and only its beginning is left."""

    data: bytes
    whole: bool = True


class LineSplitter:
    """Cuts at line feeds.

    Args:
        max_bytes: longest line, without its end.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._dropping = False

    def feed(self, data: bytes) -> list[Line]:
        """Take bytes; return the lines they complete, and a line that has just become too long."""
        lines: list[Line] = []
        pieces = data.split(b"\n")
        for piece in pieces[:-1]:
            self._add(piece, lines)
            self._end(lines)
        self._add(pieces[-1], lines)
        return lines

    def finish(self) -> list[Line]:
        """Take the end of the stream; return what stood behind the last line feed, if anything did."""
        lines: list[Line] = []
        if self._size:
            self._end(lines)
        return lines

    def _add(self, piece: bytes, lines: list[Line]) -> None:
        if self._dropping or not piece:
            return
        self._parts.append(piece)
        self._size += len(piece)
        if self._size > self._max_bytes:
            lines.append(Line(b"".join(self._parts)[:SHOWN_BYTES], whole=False))
            self._forget()
            self._dropping = True

    def _end(self, lines: list[Line]) -> None:
        if self._dropping:
            self._dropping = False
            return
        lines.append(Line(b"".join(self._parts)))
        self._forget()

    def _forget(self) -> None:
        self._parts = []
        self._size = 0
