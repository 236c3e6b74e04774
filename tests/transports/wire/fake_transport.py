"""A TCP transport without a network: keeps what was written and what was asked of it, and can be told to fail."""

from __future__ import annotations

import asyncio
from typing import Any


class FakeTransport(asyncio.Transport):
    """Behaves as asyncio's own does: a failed write or an abort closes it, `connection_lost` comes later."""

    def __init__(self, protocol: asyncio.Protocol, *, write_fails: bool = False) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.reading = True
        self.unsent = 0
        self.write_fails = write_fails
        self._protocol = protocol
        self._closing = False
        protocol.connection_made(self)

    def write(self, data: Any) -> None:
        assert not self._closing, "a transport that is closing is not written to"
        if self.write_fails:
            self.abort(BrokenPipeError("Broken pipe"))
        else:
            self.written.append(bytes(data))

    def abort(self, error: Exception | None = None) -> None:
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, error)

    close = abort

    def end(self) -> None:
        """The other side closes: what the event loop then does."""
        if not self._protocol.eof_received():
            self.abort()

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        assert not self._closing
        self.reading = True
