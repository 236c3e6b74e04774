"""One connection to a server, carrying one exchange at a time.

Decides when reading pauses (the reader of the body is slower than the server), when writing pauses (the server is
slower than we), what the end of the stream means for whoever waits, how long a silence may last, and whether the
connection can carry another request. It starts no task: llhttp runs inside the event loop's callbacks, and whoever
waits is woken by one future.

"Sent" is decided in `begin` alone. A connection that is already closing, or whose first write fails at once, has
carried nothing. After that nobody can know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import cast

from pointsman.transports.wire.alarm import Alarm
from pointsman.transports.wire.errors import ConnectionClosed, ProtocolBroken, Silent, WireError
from pointsman.transports.wire.leftovers import fault_of_end
from pointsman.transports.wire.pump import Pump
from pointsman.transports.wire.reply_parser import ReplyParser

PAUSE_BYTES = 262_144
"""Unread body at which the server is made to wait."""

SLICE_BYTES = 262_144
"""How much of a large body is handed to the event loop at once, and so how much of it is ever held twice."""

_JOIN_BYTES = 65_536  # below it one copy is cheaper than a second write
_NOTHING = memoryview(b"")


class Connection(asyncio.BufferedProtocol):
    """A connection; made by `Pool`, used by `Response`.

    Args:
        inbox: where bytes are read into. Many connections may share one, because nothing stays in it: the event loop's
            own way is a new buffer for every read, whose page faults cost more than reading a small reply.
        made: called when the connection is up.
        lost: called once it is gone, whoever ended it.

    Attributes:
        parser: what has come of the current reply.
        fresh: it has carried no request yet.
        is_open: more of the body of its request is to be given.
        idle_until: loop seconds until which it may wait for its next request.
        keep_s: how long it may ever wait for one; None until the pool has asked.
    """

    __slots__ = (
        "_alarm", "_busy", "_fault", "_first_s", "_held_up", "_idle_s", "_inbox", "_loop", "_lost",
        "_made", "_paused", "_pump", "_started", "_transport", "_unsent", "_waiter", "_writer", "fresh", "idle_until",
        "is_open", "keep_s", "parser",
    )  # fmt: skip

    _transport: asyncio.Transport

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        inbox: memoryview,
        made: Callable[[Connection], None],
        lost: Callable[[Connection], None],
    ) -> None:
        self.parser = ReplyParser()
        self.fresh = True
        self.idle_until = 0.0
        self.keep_s: float | None = None
        self._loop = loop
        self._inbox = inbox
        self._made = made
        self._lost = lost
        self._busy = False
        self._fault: WireError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._paused = False  # we make the server wait
        self._held_up = False  # the server makes us wait
        self._unsent = _NOTHING
        self.is_open = False  # more of the body is to be given
        self._started = False  # a part of the body has been given out
        self._pump: Pump | None = None  # takes what comes of the body in the place of who waits
        self._first_s = self._idle_s = inf
        self._alarm = Alarm(loop, self._rang)

    @property
    def usable(self) -> bool:
        """It could carry a request, as far as we know."""
        return self._fault is None and not self._transport.is_closing()

    def begin(
        self, method: str, head: bytes, body: bytes, first_s: float | None = None, idle_s: float | None = None
    ) -> bool:
        """Write a request.

        Args:
            first_s: longest time from the request's last byte to the first byte of the reply's body, seconds.
            idle_s: longest time that `read_chunk` waits for a further byte, seconds.

        Returns:
            False if it turned out that the connection is closed and that nothing has been written.
        """
        transport = self._transport
        if self._fault is not None or transport.is_closing():
            return False
        self.parser.expect(method)
        self._busy = True
        self.fresh = self._started = False
        self._first_s = first_s or inf
        self._idle_s = idle_s or inf
        if len(body) > _JOIN_BYTES:
            self._unsent = memoryview(body)
            transport.write(head)
        else:
            transport.write(head + body if body else head)
        if transport.is_closing():
            return False
        if self._unsent:
            if not self._held_up:
                self._write_on()
        elif first_s and not self._held_up:
            self._alarm.until = self._loop.time() + first_s
        return True

    def open_body(self) -> None:
        """More of the body of the request begun last follows by `give`, until `end_body`."""
        self.is_open = True
        self._alarm.until = inf

    async def asked(self) -> None:
        """Return once the server asks for the body (100 Continue), or answers without it."""
        await self._until(lambda: self.parser.continued or self.parser.headers_complete)

    async def give(self, part: bytes) -> bool:
        """Write a further part of the body, once the server has taken those before; returns whether it wants more."""
        await self._until(lambda: not self._held_up)
        if wanted := self._is_wanted:
            self._transport.write(part)
        return wanted

    def end_body(self) -> None:
        """No further part is given."""
        self.is_open = False
        if not self._held_up:
            self._expect_body()

    @property
    def _is_wanted(self) -> bool:
        return self._fault is None and self.parser.status < 300 and not self._transport.is_closing()

    async def _until(self, ready: Callable[[], bool]) -> None:
        while self._is_wanted and not ready():
            self._writer = self._loop.create_future()
            try:
                await self._writer
            finally:
                self._writer = None

    async def read_head(self) -> None:
        """Wait until status and headers of the reply are known.

        Raises:
            ConnectionClosed, ProtocolBroken, Silent: they will not come.
        """
        while not self.parser.headers_complete:
            await self._wait()

    async def read_chunk(self) -> bytes:
        """Return the next part of the body as soon as there is one; empty at its end.

        Raises:
            ConnectionClosed, ProtocolBroken, Silent: the rest will not come.
        """
        parser = self.parser
        if not parser.buffered_bytes:
            self.expect_more()
            while not parser.buffered_bytes:
                if parser.complete:
                    return b""
                await self._wait()
        return self.take()

    async def feed(self, pump: Pump) -> None:
        """Give what comes of the body to a pump, until that has enough."""
        self._pump = pump
        try:
            await self._wait()
        finally:
            self._pump = None

    def expect_more(self) -> None:
        """From now on the server is silent until a further byte of the body comes."""
        if self._started:
            self._alarm.until = self._loop.time() + self._idle_s

    def take(self) -> bytes:
        """Return what has come of the body since the last call; may be empty."""
        if self._paused:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        self._started = True
        return self.parser.take()

    def finish(self) -> bool:
        """End the exchange, whose reply must have been read; returns whether the connection can carry another."""
        self._busy = False
        self._alarm.until = inf
        return self.parser.reusable and not self.sending and self.usable

    def abort(self, fault: WireError | None = None) -> None:
        """Close at once, for this reason if there is one; what has not been sent is thrown away. Idempotent."""
        self._break(fault or ConnectionClosed("the connection was given up", started=self.parser.started))

    async def _wait(self) -> None:
        """Wait until something has come. A cancelled wait gives the connection up at once."""
        if self._fault is not None:
            raise self._fault
        waiter = self._waiter = self._loop.create_future()
        self._alarm.watch()
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
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    def _break(self, fault: WireError) -> None:
        if self._fault is None:
            self._fault = fault
        self._transport.abort()
        self._wake()

    def _rang(self) -> None:
        """The time is up; it matters only to one who waits, and the next who does sets the alarm again."""
        if self._waiter is None or self._waiter.done():
            return
        what, waited_s = ("no further byte", self._idle_s) if self._started else ("no byte", self._first_s)
        self._break(Silent(f"{what} of the reply's body within {waited_s:g} s", started=self._started))

    # Writing.

    @property
    def sending(self) -> bool:
        """A part of the request has not left yet."""
        return self._held_up or self.is_open or bool(self._unsent)

    def _write_on(self) -> None:
        """Hand on one slice of the body, and come back for the next as soon as the server has taken it.

        One a turn of the loop, so that in between it can see what the server says: a failed write, or an answer to
        what it has read so far. If that is a refusal, the rest stays here.
        """
        if self.parser.status >= 300 or self._transport.is_closing():
            return
        part, rest = self._unsent[:SLICE_BYTES], self._unsent[SLICE_BYTES:]
        # Even an empty view of a body would keep all of it in memory for as long as the connection lives.
        self._unsent = rest or _NOTHING
        self._transport.write(part)
        if not self._held_up:
            self._go_on()

    def _go_on(self) -> None:
        if self._unsent:
            # Not in this turn, see above; and a write that failed inside `resume_writing` would make asyncio lose
            # the connection twice.
            self._loop.call_soon(self._write_on)
        elif self.is_open:
            self._wake()
        else:
            self._expect_body()

    def _expect_body(self) -> None:
        """The request has left, or will not: from now on the server is the one who is silent."""
        if self._alarm.until == inf and not self._started:
            self._alarm.until = self._loop.time() + self._first_s
            if self._waiter is not None:
                self._alarm.watch()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is up, or has been secured."""
        self._transport = cast(asyncio.Transport, transport)
        # Any byte that does not go out at once counts as held up: so we know when a request has left.
        self._transport.set_write_buffer_limits(high=1, low=0)
        self._made(self)

    def pause_writing(self) -> None:
        """The server takes our bytes more slowly than we give them."""
        self._held_up = True

    def resume_writing(self) -> None:
        """What we gave has gone out."""
        self._held_up = False
        if self._busy:
            self._go_on()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Bytes are about to come."""
        return self._inbox

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes have come."""
        if not self._busy:
            self._break(ProtocolBroken("the server sent bytes that nobody asked for"))
            return
        parser = self.parser
        try:
            parser.feed(self._inbox[:nbytes])
        except ProtocolBroken as fault:
            self._break(fault)
            return
        if self._pump is not None:
            if self._pump.give(self):
                self._pump = None
                self._wake()
        elif parser.headers_complete or parser.continued:
            self._wake()
            if parser.status >= 300 and self.sending:
                self._expect_body()
            if parser.buffered_bytes >= PAUSE_BYTES and not self._paused and not parser.complete:
                self._paused = True
                self._transport.pause_reading()

    def eof_received(self) -> None:
        """The server has said all it will say; the event loop then closes the connection."""
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._end(exc)
        self._alarm.end()
        self.parser.end()
        self._lost(self)

    def _end(self, error: Exception | None) -> None:
        parser = self.parser
        if self._busy and self._fault is None and not parser.complete:
            self._fault = fault_of_end(self._transport, parser, error, self.sending, PAUSE_BYTES)
        self._wake()
