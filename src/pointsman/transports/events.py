"""Server-sent events: from chunks of bytes to the data of each event. Source: WHATWG HTML, 9.2.

For answers whose text we need ourselves. A client's own stream is passed on as it comes and never comes here.
"""

from __future__ import annotations

EVENT_BYTES = 4_194_304
"""Longest event taken, bytes."""


class EventReader:
    """Reads one stream; lines may end in LF, CRLF or CR."""

    __slots__ = ("_after_return", "_data", "_line", "_size")

    def __init__(self) -> None:
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._size = 0
        self._after_return = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take bytes, at least one, cut anywhere, and return the data of each event that they end.

        Raises:
            ValueError: an event is longer than anybody would send.
        """
        self._size += len(chunk)
        if b"\r" in chunk or self._after_return:
            chunk = self._with_line_feeds(chunk)
        first, *further = chunk.split(b"\n")
        self._line.append(first)
        if not further:
            self._check_size()
            return []
        events: list[bytes] = []
        self._take(b"".join(self._line), events)
        for line in further[:-1]:
            self._take(line, events)
        self._line = [further[-1]]
        self._size = len(further[-1]) + sum(map(len, self._data))
        self._check_size()
        return events

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        if self._after_return:
            chunk = chunk.removeprefix(b"\n")
        self._after_return = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def end(self) -> list[bytes]:
        """Take the end of the stream; return what stands behind the last event, where a server does not end it."""
        events: list[bytes] = []
        self._take(b"".join(self._line), events)
        self._take(b"", events)
        self._line = []
        return events

    def _take(self, line: bytes, events: list[bytes]) -> None:
        if not line:
            if self._data:
                events.append(b"\n".join(self._data))
                self._data = []
        elif line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))

    def _check_size(self) -> None:
        if self._size > EVENT_BYTES:
            raise ValueError(f"an event is longer than {EVENT_BYTES} bytes")
