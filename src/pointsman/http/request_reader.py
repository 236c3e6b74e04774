"""Makes requests out of the bytes of a connection. No I/O and no clock: who feeds it decides when.

llhttp knows the grammar, in its strict mode. This adds bounds on heads and trailers, the judgement of `request_head`,
and an upgrade that nobody understands: it is ignored (RFC 9110, 7.8), and the body behind it, which llhttp takes for
another protocol, is read as what it is. Clients that offer HTTP/2 in clear text send such requests (Java's, for one).
Trailers are read and dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser

from pointsman.http.problems import RequestError, invalid
from pointsman.http.request_head import check_headers, split_any_target, split_target
from pointsman.http.same_head import Head, SameHead, remember
from pointsman.http.turn import Turn
from pointsman.model.errors import PointsmanError

MAX_HEAD_BYTES: Final = 65_536
MAX_HEADERS: Final = 100

_METHODS: Final = {name.encode(): name for name in ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH")}

MakeTurn = Callable[..., Turn]


class RequestReader:
    """Reads requests one after the other.

    Args:
        make: makes a turn of the fields of a `Head`.
        on_whole: called with each turn whose request is whole, from within `feed`; a PointsmanError ends the reading.

    Attributes:
        reading: the turn whose body is still coming.
        takes_any_target: a target that names nothing here is no error: the path is empty then.
    """

    __slots__ = (
        "_headers",
        "_is_upgrade",
        "_known",
        "_make",
        "_on_whole",
        "_parser",
        "_stray_bytes",
        "_target",
        "_whole",
        "reading",
        "takes_any_target",
    )

    def __init__(self, make: MakeTurn, on_whole: Callable[[Turn], None]) -> None:
        self.reading: Turn | None = None
        self.takes_any_target = False
        self._make = make
        self._on_whole = on_whole
        self._parser = HttpRequestParser(self)
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._is_upgrade = False
        self._stray_bytes = 0
        self._known: SameHead | None = None
        self._whole: Turn | None = None

    def feed(self, data: bytes | memoryview) -> None:
        """Take bytes. After an error nothing more may be fed.

        Raises:
            PointsmanError: they are no request, or one that is refused.
        """
        if self.reading is None and not self._stray_bytes and not self._target and type(data) is bytes:
            if self._known is not None and (same := self._known.match(data)) is not None:
                self._repeat(*same)
            else:
                self._read(data)
                self._learn(data)
        else:
            self._read(data)
            self._whole = None

    def _repeat(self, head: Head, body: bytes) -> None:
        """The head of the last request has come again, and its body with it."""
        turn = self._make(*head)
        if body:
            turn.take(body)
        turn.is_whole = True
        self._on_whole(turn)

    def _learn(self, data: bytes) -> None:
        """Remember the head of a request that has come alone; `data` began with it."""
        turn, self._whole = self._whole, None
        if turn is not None and turn.keeps_alive and turn.path and self.is_idle:
            head = Head(turn.method, turn.path, turn.query, turn.headers, turn.fields, turn.memo)
            self._known = remember(data, head)

    def _read(self, data: bytes | memoryview) -> None:
        self._stray_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])
        except HttpParserCallbackError as error:
            raise error.__context__ or error from None
        except HttpParserError as error:
            raise invalid(f"what came is no valid HTTP/1.1 request: {error}") from None
        if self._stray_bytes > MAX_HEAD_BYTES or len(self._headers) > MAX_HEADERS:
            raise _too_large(len(self._headers))

    @property
    def is_idle(self) -> bool:
        """Whether nothing of a further request has come, not even an empty line."""
        return not self._stray_bytes and not self._target

    def _ignore_upgrade(self, rest: bytes | memoryview) -> None:
        turn = self.reading
        assert turn is not None
        self._is_upgrade = False
        framing = [name for name in (b"content-length", b"transfer-encoding") if name in turn.fields]
        if framing:
            self._parser = HttpRequestParser(_BodyFirst(self))
            self._parser.feed_data(b"POST / HTTP/1.1\r\n%b: %b\r\n\r\n" % (framing[0], turn.fields[framing[0]]))
        else:
            self._parser = HttpRequestParser(self)
            self.on_message_complete()
        if rest:
            self._read(rest)

    # What llhttp calls.

    def on_url(self, target: bytes) -> None:
        """A piece of the target."""
        self._target += target

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header or a trailer; white space behind the value is not part of it (RFC 9112, 5.1)."""
        self._headers.append((name.lower(), value.rstrip()))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        parser, headers = self._parser, self._headers
        fields = dict(headers)
        if len(headers) > MAX_HEADERS or (self._stray_bytes > MAX_HEAD_BYTES and self._head_bytes() > MAX_HEAD_BYTES):
            raise _too_large(len(headers))
        keeps_alive = parser.should_keep_alive()
        # Only 1.1 goes on without being asked to; asking for the version costs a string.
        version = "1.1" if keeps_alive and b"connection" not in fields else parser.get_http_version()
        if version != "1.1" or len(fields) != len(headers) or b"transfer-encoding" in fields or b"host" not in fields:
            check_headers(version, headers, fields)
        name = parser.get_method()
        method = _METHODS.get(name) or name.decode("ascii")
        split = split_any_target if self.takes_any_target else split_target
        path, query = split(method, self._target, fields)
        self.reading = turn = self._make(method, path, query, headers, fields)
        turn.memo.target = self._target
        turn.keeps_alive = keeps_alive
        if version == "1.0":
            turn.is_old = True
            turn.keeps_alive = False
        elif b"expect" in fields:
            turn.expects = fields[b"expect"].lower() == b"100-continue"
        if b"upgrade" in fields:
            self._is_upgrade = parser.should_upgrade()
        self._headers = []
        self._stray_bytes = 0

    def _head_bytes(self) -> int:
        return len(self._target) + sum([len(name) + len(value) for name, value in self._headers])

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        self._stray_bytes = 0
        assert self.reading is not None
        self.reading.take(piece)

    def on_message_complete(self) -> None:
        """The request is whole, unless it asks for an upgrade: then its body is still to come."""
        if self._is_upgrade:
            return
        turn = self.reading
        assert turn is not None
        self.reading = None
        self._target = b""
        if self._headers:
            self._headers = []  # trailers
        self._stray_bytes = 0
        turn.is_whole = True
        self._whole = turn
        self._on_whole(turn)


class _BodyFirst:
    """Hands a parser's calls on, but for those about the first head, which is fed again only for its body."""

    def __init__(self, reader: RequestReader) -> None:
        self._reader = reader
        self._is_first = True
        self.on_body = reader.on_body

    def on_url(self, target: bytes) -> None:
        if not self._is_first:
            self._reader.on_url(target)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_first:
            self._reader.on_header(name, value)

    def on_headers_complete(self) -> None:
        if not self._is_first:
            self._reader.on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_first = False
        self._reader.on_message_complete()


def _too_large(headers: int) -> PointsmanError:
    if headers > MAX_HEADERS:
        return RequestError("head_too_large", f"there are more than {MAX_HEADERS} headers")
    return RequestError("head_too_large", f"the headers have more than {MAX_HEAD_BYTES} bytes")
