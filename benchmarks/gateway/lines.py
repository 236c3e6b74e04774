"""One client connection that carries one call at a time, and the call: what was asked, what came, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import cast

import httptools

from benchmarks.gateway.checks import PlainCheck, StreamCheck
from benchmarks.gateway.payloads import Act, Requests


class Call:
    """One request and what became of it.

    Attributes:
        began: when it was due to be sent, seconds on `perf_counter`'s clock.
        first_at: when the first byte of the body came; 0 = none did.
        ended_at: when it had ended.
        status: HTTP status; 0 = no answer came.
        whole: whether the transfer ended as HTTP says that a complete one does.
    """

    __slots__ = ("act", "began", "check", "ended_at", "first_at", "number", "request", "status", "whole")

    def __init__(self, act: Act, number: int, requests: Requests, exact: bool) -> None:
        self.act = act
        self.number = number
        self.request = requests.make(act, number)
        self.check: PlainCheck | StreamCheck = (StreamCheck if act.streamed else PlainCheck)(number, exact)
        self.began = 0.0
        self.first_at = 0.0
        self.ended_at = 0.0
        self.status = 0
        self.whole = False

    def fault(self) -> str | None:
        """Return what is wrong with a call that should have gone well; None = nothing."""
        if self.status not in {0, 200}:
            body = self.check.body[:160].decode("latin-1") if isinstance(self.check, PlainCheck) else ""
            return f"status {self.status} {body}".strip()
        return self.check.fault() if self.whole else "the connection broke"

    @property
    def took_s(self) -> float:
        """From when it was due to its end, seconds."""
        return self.ended_at - self.began


class Line(asyncio.Protocol):
    """A connection kept alive.

    Args:
        on_end: called with the line and the call that ended, well or not.
    """

    def __init__(self, on_end: Callable[[Line, Call], None]) -> None:
        self._on_end = on_end
        self._parser = httptools.HttpResponseParser(self)
        self._call: Call | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def usable(self) -> bool:
        """Whether the next call can be sent on it."""
        return self._transport is not None and not self._transport.is_closing() and self._call is None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self, call: Call, began: float | None = None) -> None:
        """Send a call; it counts from `began`, by default from now."""
        assert self._transport is not None
        self._call = call
        call.began = began if began is not None else perf_counter()
        self._transport.write(call.request)

    def hang_up(self) -> None:
        """Close the connection, whatever is under way on it."""
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            if self._transport is not None:
                self._transport.abort()

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body; called by the parser."""
        call = self._call
        if call is not None:
            now = perf_counter()
            if not call.first_at:
                call.first_at = now
            call.check.take(data, now)

    def on_message_complete(self) -> None:
        """End the call; called by the parser."""
        if self._call is not None and self._parser.get_status_code() >= 200:
            if not self._parser.should_keep_alive() and self._transport is not None:
                self._transport.close()
            self._end(whole=True)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._call is not None:
            self._end(whole=False)

    def _end(self, *, whole: bool) -> None:
        call, self._call = self._call, None
        assert call is not None
        call.ended_at = perf_counter()
        call.whole = whole
        call.status = self._parser.get_status_code() if whole or call.first_at else 0
        self._on_end(self, call)


async def connect(port: int, on_end: Callable[[Line, Call], None]) -> Line:
    """Open a line to a port of loopback."""
    loop = asyncio.get_running_loop()
    _, line = await loop.create_connection(lambda: Line(on_end), "127.0.0.1", port)
    return line
