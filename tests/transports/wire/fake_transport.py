"""A TCP transport without a network: keeps what was written and what was asked of it, and can be told to fail."""

from __future__ import annotations

import asyncio
import socket
from typing import Any


class FakeTransport(asyncio.Transport):
    """Behaves as asyncio's own does: a failed write or an abort closes it, `connection_lost` comes later."""

    def __init__(self, protocol: asyncio.BufferedProtocol, *, write_fails: bool = False) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.reading = True
        self.socket: socket.socket | None = None
        self.unsent = 0
        self.write_fails = write_fails
        self._protocol = protocol
        self._closing = False
        self._takes: int | None = None
        protocol.connection_made(self)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.socket if name == "socket" else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert (high, low) == (1, 0), "we want to know to the byte what has not gone out"

    def take_only(self, size: int) -> None:
        """Let the server take so many bytes more; what is written beyond stays here, and the writer is told."""
        self._takes = size

    def take_more(self, size: int) -> None:
        """Let the server take more of what stayed here; at its end the writer may go on."""
        assert self._takes is not None
        before, taken = self.unsent, min(size, self.unsent)
        self.unsent -= taken
        self._takes += size - taken
        if before and not self.unsent and not self._closing:
            self._protocol.resume_writing()

    def write(self, data: Any) -> None:
        assert not self._closing, "a transport that is closing is not written to"
        if self.write_fails:
            self.abort(BrokenPipeError("Broken pipe"))
        else:
            self.written.append(bytes(data))
            self._count(len(data))

    def _count(self, size: int) -> None:
        if self._takes is None:
            return
        before = self.unsent
        gone = min(self._takes, size)
        self._takes -= gone
        self.unsent += size - gone
        if self.unsent > before == 0:
            self._protocol.pause_writing()

    def abort(self, error: Exception | None = None) -> None:
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, error)

    close = abort

    def bring(self, data: bytes) -> None:
        """Bytes come from the server."""
        memoryview(self._protocol.get_buffer(-1))[: len(data)] = data
        self._protocol.buffer_updated(len(data))

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
