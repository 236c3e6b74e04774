"""One request on a connection of our own server, and its answer: the `Channel` that the application is given.

Decides how an answer is framed and in how few writes it leaves. Whose turn it is, and when the connection ends, is
`connection`'s business; what is written after the client has gone is dropped, and the link tells whoever must know.

Framing (RFC 9112, 6): a whole answer has its length; one that is written piece by piece is chunked, or, to HTTP/1.0,
goes on until the connection ends; an answer to HEAD, and one of status 204 or 304, has a head and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Final

from pointsman.http import response_head
from pointsman.http.channel import Fields, Memo

if TYPE_CHECKING:
    from pointsman.http.connection import Connection
    from pointsman.http.waiting import Link

LARGE_BYTES: Final = 65_536
"""A body as large as this is not copied only to save a call, and a chunk as large is cut up so that a client that does
not read holds no more of it than this."""

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Turn:
    """A request and its answer; implements `Channel`.

    Attributes:
        method, path, query, headers, fields, memo, link: see `Channel`.
        is_old: it speaks HTTP/1.0.
        keeps_alive: the connection goes on after the answer, as far as the client and the answer say.
        expects: the client waits for word before it sends the body.
        is_whole: all of the body has come.
        buffered_bytes: of the body that nobody has received yet; or, after the answer, that was thrown away.
        hangs_up: the connection ends with the answer, even if some of the body is still to come.
        is_begun: a byte of the answer has been written.
        is_over: the answer is whole, or nobody waits for it any more.
    """

    __slots__ = (
        "_connection",
        "_head",
        "_is_bare",
        "_is_chunked",
        "_is_foreign",
        "_is_given",
        "_is_sized",
        "_is_touched",
        "_pieces",
        "_receiver",
        "buffered_bytes",
        "expects",
        "fields",
        "hangs_up",
        "headers",
        "is_begun",
        "is_old",
        "is_over",
        "is_whole",
        "keeps_alive",
        "link",
        "memo",
        "method",
        "path",
        "query",
    )

    def __init__(
        self,
        connection: Connection,
        link: Link,
        method: str,
        path: str,
        query: bytes,
        headers: Fields,
        fields: Mapping[bytes, bytes],
        memo: Memo | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.link: Link | None = link
        self.fields = fields
        self.memo = memo or Memo()
        self.is_old = False
        self.keeps_alive = True
        self.expects = False
        self.hangs_up = False
        self.is_whole = False
        self.buffered_bytes = 0
        self.is_begun = False
        self.is_over = False
        self._connection = connection
        self._pieces: list[bytes] = []
        self._is_given = False
        self._is_touched = False
        self._receiver: asyncio.Future[None] | None = None
        self._head: tuple[int, Fields] | None = None
        self._is_chunked = False
        self._is_bare = False
        self._is_foreign = False
        self._is_sized = False

    # What the connection tells it.

    def take(self, piece: bytes) -> None:
        """A piece of the body has come."""
        self.buffered_bytes += len(piece)
        if not self.is_over:
            self._pieces.append(piece)

    def wake(self) -> None:
        """There is news for whoever receives: more of the body, its end, or that the client is gone."""
        if self._receiver is not None and not self._receiver.done():
            self._receiver.set_result(None)

    def forget(self) -> None:
        """The answer was written before the body had come; what comes of it now is only counted."""
        self._pieces.clear()
        self.buffered_bytes = 0

    def lose(self) -> None:
        """Nobody waits for the answer any more."""
        self.is_over = True
        self._pieces.clear()
        self.wake()

    def on_served(self, fault: BaseException | None) -> None:
        """The task that answers has ended."""
        if fault is not None or not self.is_over:
            self._connection.on_served(self, fault)

    # What the application asks of it.

    def arrived(self) -> bytes | None:
        """See `Channel`."""
        if not self.is_whole or self._is_touched:
            return None
        pieces = self._pieces
        if len(pieces) != 1:
            pieces[:] = [b"".join(pieces)]
        return pieces[0]

    async def receive(self) -> MutableMapping[str, Any]:
        """See `Channel`."""
        if self.expects and not self.is_over:
            self.expects = False
            if not self.is_begun and not self.buffered_bytes and not self.is_whole:
                self._connection.transport.write(_CONTINUE)
        self._is_touched = True
        while not self.is_over:
            if self.buffered_bytes or (self.is_whole and not self._is_given):
                body = b"".join(self._pieces)
                self._pieces.clear()
                self.buffered_bytes = 0
                self._is_given = self.is_whole
                if not self.is_whole:
                    self._connection.flow.read_on()
                return {"type": "http.request", "body": body, "more_body": not self.is_whole}
            self._receiver = self._connection.loop.create_future()
            try:
                await self._receiver
            finally:
                self._receiver = None
        return {"type": "http.disconnect"}

    def put_back(self, body: bytes) -> None:
        """See `Channel`."""
        self._pieces[:] = [body]
        self._is_touched = self._is_given = False

    async def respond(self, status: int, headers: Fields, body: bytes) -> None:
        """See `Channel`. Returns at once where the client is gone, as the others do."""
        connection = self._connection
        if connection.flow.is_paused:
            await connection.flow.drained()
        self.answer(status, headers, body)

    def answer(self, status: int, headers: Fields, body: bytes) -> None:
        """Write a whole answer without waiting.

        Raises:
            RuntimeError: another answer has begun.
        """
        if self.is_over:
            return
        if self.is_begun:
            raise RuntimeError("a second answer to one request")
        connection = self._connection
        now = connection.loop.time()
        self._decide_end(headers)
        framing = b"" if self.keeps_alive else response_head.CLOSE
        head = connection.site.heads.encode(now, status, headers, framing)
        if self.method == "HEAD" or status in {204, 304}:
            body = b""
        if len(body) < LARGE_BYTES:
            connection.transport.write(head + body)
        else:
            connection.transport.write(head)
            connection.transport.write(body)
        self.is_begun = self.is_over = True
        connection.finish(self, now)

    def _decide_end(self, headers: Fields) -> None:
        """Decide whether the connection ends with the answer. A client that was not told to send its body might send
        it, or might not (RFC 9110, 10.1.1).
        """
        if (self.expects and not self.is_whole) or response_head.CLOSE_FIELD in headers:
            self.hangs_up = True
            self.keeps_alive = False
        elif self._connection.ends and not self._connection.goes_on:
            self.keeps_alive = False

    async def start(self, status: int, headers: Fields) -> None:
        """See `Channel`. Begun anew before its first byte, the answer is the later one."""
        if self.is_begun:
            raise RuntimeError("a second answer to one request")
        self._head = status, headers

    async def start_as_is(self, status: int, headers: Fields, *, is_sized: bool, at_once: bool) -> None:
        """See `Channel`."""
        await self.start(status, headers)
        self._is_foreign = True
        self._is_sized = is_sized
        if at_once and not self.is_over:
            self._connection.transport.write(self._encode_head())

    async def write(self, chunk: bytes) -> None:
        """See `Channel`."""
        connection = self._connection
        for at in range(0, len(chunk), LARGE_BYTES):
            while connection.flow.is_paused and not self.is_over:
                await connection.flow.drained()
            if self.is_over:
                return
            piece = chunk if len(chunk) <= LARGE_BYTES else chunk[at : at + LARGE_BYTES]
            head = b"" if self.is_begun else self._encode_head()
            if self._is_chunked:
                connection.transport.write(b"%b%x\r\n%b\r\n" % (head, len(piece), piece))
            elif self._is_bare:
                if head:
                    connection.transport.write(head)
            else:
                connection.transport.write(head + piece if head else piece)

    def write_now(self, chunk: bytes) -> bool:
        """See `Channel`. What is not the usual case, a piece of a chunked answer that has begun, is left to `write`."""
        if self.is_over:
            return True
        connection = self._connection
        if not self._is_chunked or not self.is_begun or connection.flow.is_paused or len(chunk) > LARGE_BYTES:
            return False
        connection.transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        return True

    def _encode_head(self) -> bytes:
        """Return the head of an answer in pieces, which begins with it."""
        if self._head is None:
            raise RuntimeError("a piece of an answer that has not been started")
        status, headers = self._head
        connection = self._connection
        self._decide_end(headers)
        self._is_bare = self.method == "HEAD" or status in {204, 304}
        self._is_chunked = not self._is_bare and not self.is_old and not self._is_sized
        if not self._is_bare and not self._is_sized:
            headers = [field for field in headers if field[0] != b"content-length"]
        framing = response_head.CHUNKED if self._is_chunked else b""
        if not self.keeps_alive:
            framing += response_head.CLOSE
        heads = connection.site.heads
        if self._is_foreign:
            head = heads.encode_as_is(status, headers, framing)
        else:
            head = heads.encode(connection.loop.time(), status, headers, framing)
        self.is_begun = True
        return head

    async def end(self) -> None:
        """See `Channel`."""
        if self.is_over:
            return
        connection = self._connection
        head = b"" if self.is_begun else self._encode_head()
        last = b"0\r\n\r\n" if self._is_chunked else b""
        if head or last:
            connection.transport.write(head + last)
        self.is_over = True
        connection.finish(self, connection.loop.time())

    def abort(self) -> None:
        """See `Channel`."""
        if not self.is_over:
            self._connection.break_off(self)
