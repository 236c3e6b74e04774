"""Back-pressure on a connection, both ways, and its end: nobody makes us hold more than a few pieces for them.

What waits for a slow client is bounded by the transport's own mark (64 KiB) and one piece more, because writers wait
here. A client that reads nothing of it for a minute is cut off, also when the connection is about to close: else it
would stay for ever.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final

from pointsman.http.patience import NEVER, Patience

STALLED_S: Final = 60.0
"""Seconds after which a client that reads nothing of what waits for it is cut off."""

_RESET: Final = struct.pack("ii", 1, 0)


class Flow:
    """What flows on one connection.

    Args:
        transport: of the connection.
        loop: the event loop that runs.

    Attributes:
        is_paused: the client is slower than we are.
    """

    __slots__ = ("_is_deaf", "_loop", "_patience", "_transport", "_unread_bytes", "_writers", "is_paused")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.is_paused = False
        self._is_deaf = False
        self._transport = transport
        self._loop = loop
        self._patience = Patience(loop, self._on_stalled)
        self._unread_bytes = 0
        self._writers: list[asyncio.Future[None]] = []

    def stop_reading(self) -> None:
        """The client is faster than we are: let it wait."""
        if not self._is_deaf:
            self._is_deaf = True
            self._transport.pause_reading()

    def read_on(self) -> None:
        """Go on reading, if it was stopped."""
        if self._is_deaf and not self._transport.is_closing():
            self._is_deaf = False
            self._transport.resume_reading()

    def pause(self) -> None:
        """The client does not read as fast as we write."""
        self.is_paused = True
        self._expect_to_be_read()

    def resume(self) -> None:
        """It has caught up."""
        self.is_paused = False
        self._patience.until = NEVER
        self._wake()

    async def drained(self) -> None:
        """Return once the client has caught up, or is gone."""
        waiter = self._loop.create_future()
        self._writers.append(waiter)
        try:
            await waiter
        finally:
            self._writers.remove(waiter)

    def close(self) -> None:
        """Close the connection once the client has read what waits for it."""
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self._expect_to_be_read()

    def reset(self) -> None:
        """Break the connection off so that the client cannot take what it has got for everything."""
        found = self._transport.get_extra_info("socket")
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def lose(self) -> None:
        """The client is gone."""
        self._patience.close()
        self._wake()

    def _wake(self) -> None:
        for waiter in self._writers:
            if not waiter.done():
                waiter.set_result(None)

    def _expect_to_be_read(self) -> None:
        self._unread_bytes = self._transport.get_write_buffer_size()
        self._patience.wait(self._loop.time() + STALLED_S)

    def _on_stalled(self) -> None:
        if self._transport.get_write_buffer_size() < self._unread_bytes:
            self._expect_to_be_read()
        else:
            self._transport.abort()
