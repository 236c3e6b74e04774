"""One connection to a server, carrying one exchange at a time.

Decides when reading pauses (the reader of the body is slower than the server), what the end of the stream means for
whoever waits, and whether the connection can carry another request. It starts no task: llhttp runs inside the event
loop's callbacks, and whoever waits is woken by one future.

"Sent" is decided in `begin` alone. A connection that is already closing, or whose first write fails at once, has
carried nothing. After that nobody can know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from pointsman.transports.wire.errors import ConnectionClosed, ProtocolBroken, WireError
from pointsman.transports.wire.reply_parser import ReplyParser

PAUSE_BYTES = 262_144
"""Unread body at which the server is made to wait."""

_JOIN_BYTES = 65_536  # below it one copy is cheaper than a second write


class Connection(asyncio.Protocol):
    """A connection; made by `Pool`, used by `Response`.

    Args:
        made: called when the connection is up.
        lost: called once it is gone, whoever ended it.

    Attributes:
        parser: what has come of the current reply.
        fresh: it has carried no request yet.
        idle_until: loop seconds until which it may wait for its next request.
    """

    __slots__ = (
        "_busy",
        "_fault",
        "_loop",
        "_lost",
        "_made",
        "_paused",
        "_transport",
        "_waiter",
        "fresh",
        "idle_until",
        "parser",
    )

    _transport: asyncio.Transport

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        made: Callable[[Connection], None],
        lost: Callable[[Connection], None],
    ) -> None:
        self.parser = ReplyParser()
        self.fresh = True
        self.idle_until = 0.0
        self._loop = loop
        self._made = made
        self._lost = lost
        self._busy = False
        self._fault: WireError | None = None
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def usable(self) -> bool:
        """It could carry a request, as far as we know."""
        return self._fault is None and not self._transport.is_closing()

    def begin(self, method: str, head: bytes, body: bytes) -> bool:
        """Write a request.

        Returns:
            False if it turned out that the connection is closed and that nothing has been written.
        """
        transport = self._transport
        if self._fault is not None or transport.is_closing():
            return False
        self.parser.expect(method)
        self._busy = True
        self.fresh = False
        if len(body) <= _JOIN_BYTES:
            transport.write(head + body if body else head)
            return not transport.is_closing()
        transport.write(head)
        if transport.is_closing():
            return False
        transport.write(body)
        return True

    async def read_head(self) -> None:
        """Wait until status and headers of the reply are known.

        Raises:
            ConnectionClosed, ProtocolBroken: they will not come.
        """
        while not self.parser.headers_complete:
            await self._wait()

    async def read_chunk(self) -> bytes:
        """Return the next part of the body as soon as there is one; empty at its end.

        Raises:
            ConnectionClosed, ProtocolBroken: the rest will not come.
        """
        parser = self.parser
        while not parser.buffered_bytes:
            if parser.complete:
                return b""
            await self._wait()
        if self._paused:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return parser.take()

    def finish(self) -> bool:
        """End the exchange, whose reply must have been read; returns whether the connection can carry another."""
        self._busy = False
        return self.parser.reusable and self.usable and not self._transport.get_write_buffer_size()

    def abort(self) -> None:
        """Close at once; what has not been sent is thrown away. Idempotent."""
        self._break(ConnectionClosed("the connection was given up", started=self.parser.started))

    async def _wait(self) -> None:
        """Wait until something has come. A cancelled wait gives the connection up at once."""
        if self._fault is not None:
            raise self._fault
        waiter = self._waiter = self._loop.create_future()
        try:
            await waiter
        except asyncio.CancelledError:
            self.abort()
            raise
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _break(self, fault: WireError) -> None:
        if self._fault is None:
            self._fault = fault
        self._transport.abort()
        self._wake()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is up."""
        self._transport = cast(asyncio.Transport, transport)
        self._made(self)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if not self._busy:
            self._break(ProtocolBroken("the server sent bytes that nobody asked for"))
            return
        parser = self.parser
        try:
            parser.feed(data)
        except ProtocolBroken as fault:
            self._break(fault)
            return
        if parser.headers_complete:
            self._wake()
            if parser.buffered_bytes >= PAUSE_BYTES and not self._paused and not parser.complete:
                self._paused = True
                self._transport.pause_reading()

    def eof_received(self) -> None:
        """The server has said all it will say; the event loop then closes the connection."""
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._end(exc)
        self._lost(self)

    def _end(self, error: Exception | None) -> None:
        if self._busy and self._fault is None and not self.parser.complete:
            try:
                if error is not None:
                    raise ConnectionClosed(f"the connection broke: {error}", started=self.parser.started)
                self.parser.feed_eof()
            except ConnectionClosed as fault:
                self._fault = fault
        self._wake()
