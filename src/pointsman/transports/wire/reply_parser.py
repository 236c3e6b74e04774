"""Reads one reply after the other from a stream of bytes: framing, bounds, and what of it may be trusted. No I/O.

llhttp knows the grammar. This adds what it leaves to its user: replies to HEAD have no body, interim replies (1xx) are
skipped, transfer codings other than `chunked` are refused (we ask for none), the end of the stream is the end of a
body only where nothing else frames it, headers and trailers are bounded, and bytes behind a reply spoil the connection.
Trailers are read and dropped: nothing here has a use for them. Folded header lines are refused, as RFC 9112 (5.2) lets
a gateway do.
"""

from __future__ import annotations

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from pointsman.transports.wire.errors import ConnectionClosed, ProtocolBroken

MAX_HEADER_BYTES = 65_536
"""Bytes of a reply's head, interim replies included; also of its trailers."""

MAX_HEADERS = 200
"""Header lines of a reply, trailers included."""

_FIRST_BYTE = ord("H")  # llhttp would also take RTSP, ICE and empty lines
_VERSIONS = frozenset({"1.1", "1.0"})
_MAX_PIECES = 64  # of a body that waits: many tiny ones would weigh many times what they hold
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_LINE_EXTRA_BYTES = 4  # ": " and the line's end


class _Stop(Exception):
    """Leaves llhttp from inside a callback."""


class ReplyParser:
    """Reads replies; call `expect` before each.

    Attributes:
        status: of the reply, once `headers_complete`.
        fields: its headers as they came, names in lower case.
        continued: the server has said that it wants the body (100 Continue).
        buffered_bytes: size of the body that waits to be taken.
        started: a byte of the reply has come.
        headers_complete: status and headers are known.
        complete: the body is whole.
        reusable: the connection can carry another request; meaningful once `complete`.
    """

    __slots__ = (
        "_chunks",
        "_fault",
        "_fed_bytes",
        "_framed",
        "_head_only",
        "_llhttp",
        "_stray_bytes",
        "_trailers",
        "buffered_bytes",
        "complete",
        "continued",
        "fields",
        "headers_complete",
        "reusable",
        "started",
        "status",
    )

    def __init__(self) -> None:
        self._llhttp = HttpResponseParser(self)
        self.expect("GET")

    def expect(self, method: str) -> None:
        """Get ready for the reply to a request. The one before must have been `complete` and `reusable`."""
        self._head_only = method == "HEAD"
        self._chunks: list[bytes] = []
        self._fault = ""
        self._fed_bytes = 0
        self._framed = False
        self._stray_bytes = 0
        self._trailers = 0
        self.buffered_bytes = 0
        self.fields: list[tuple[bytes, bytes]] = []
        self.status = 0
        self.started = False
        self.headers_complete = False
        self.complete = False
        self.continued = False
        self.reusable = False

    def feed(self, data: bytes | memoryview) -> None:
        """Take bytes from the server.

        Raises:
            ProtocolBroken: they cannot be (the rest of) a reply. What came before stays readable.
        """
        if not self.started and data[0] != _FIRST_BYTE:
            raise ProtocolBroken(f"no valid HTTP/1.1 reply: it begins with {bytes(data[:20])!r}")
        self.started = True
        buffered = self.buffered_bytes
        self._fed_bytes = self._stray_bytes + len(data)
        try:
            self._llhttp.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if self.complete:
                self.reusable = False
                return
            raise ProtocolBroken(f"no valid HTTP/1.1 reply: {self._fault or error}") from None
        if self.complete or self.buffered_bytes != buffered:
            self._stray_bytes = 0
            if len(self._chunks) > _MAX_PIECES:
                self._chunks = [b"".join(self._chunks)]
        else:
            self._stray_bytes = self._fed_bytes
            if self._stray_bytes > MAX_HEADER_BYTES:
                where = "trailers" if self.headers_complete else "headers"
                raise ProtocolBroken(f"no valid HTTP/1.1 reply: more than {MAX_HEADER_BYTES} bytes of {where}")

    def feed_eof(self) -> None:
        """Take the end of the stream.

        Raises:
            ConnectionClosed: the reply is not whole.
        """
        if self.complete:
            return
        if not self.headers_complete or self._framed:
            where = "in the middle of its reply" if self.started else "without a reply"
            raise ConnectionClosed(f"the server closed the connection {where}", started=self.started)
        self.complete = True

    def take(self) -> bytes:
        """Return the part of the body that has come since the last call; may be empty."""
        chunks = self._chunks
        self._chunks = []
        self.buffered_bytes = 0
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def end(self) -> None:
        """Let go of llhttp, which holds on to us: nothing is fed any more, what has come can still be taken."""
        del self._llhttp

    # What llhttp calls.

    def on_message_begin(self) -> None:
        """A reply begins: the one that is expected, the one after an interim reply, or one too many."""
        if self.complete:
            raise self._stop("bytes behind the reply")
        self.fields = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header or a trailer is whole."""
        if self.headers_complete:
            self._trailers += 1
            if self._trailers > MAX_HEADERS:
                raise self._stop(f"more than {MAX_HEADERS} trailers")
            return
        name = name.lower()
        fields = self.fields
        fields.append((name, value))
        if name in _FRAMING:
            self._take_framing(name, value)
        if len(fields) > MAX_HEADERS:
            raise self._stop(f"more than {MAX_HEADERS} headers")

    def _take_framing(self, name: bytes, value: bytes) -> None:
        if name == b"transfer-encoding" and (self._framed or value.strip().lower() != b"chunked"):
            raise self._stop(f"transfer-encoding {value[:40]!r}, expected chunked, once")
        self._framed = True

    def on_headers_complete(self) -> None:
        """Status and headers are known."""
        status = self._llhttp.get_status_code()
        version = self._llhttp.get_http_version()
        if version not in _VERSIONS:
            raise self._stop(f"HTTP version {version}")
        if status < 200:
            if status < 100 or status == 101:
                raise self._stop(f"status {status}, which was not asked for")
            self.continued = self.continued or status == 100
            self._framed = False
            return
        if self._fed_bytes > MAX_HEADER_BYTES and _size(self.fields) > MAX_HEADER_BYTES:  # a body may be among the fed
            raise self._stop(f"more than {MAX_HEADER_BYTES} bytes of headers")
        self.status = status
        self.headers_complete = True
        self.complete = self._head_only

    def on_body(self, chunk: bytes) -> None:
        """A part of the body has come."""
        if not self.complete:
            self._chunks.append(chunk)
            self.buffered_bytes += len(chunk)

    def on_message_complete(self) -> None:
        """The reply is whole, unless it was an interim one."""
        if self.headers_complete:
            self.complete = True
            self.reusable = self._llhttp.should_keep_alive()

    def _stop(self, fault: str) -> _Stop:
        self._fault = fault
        return _Stop(fault)


def _size(fields: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + _LINE_EXTRA_BYTES for name, value in fields)
