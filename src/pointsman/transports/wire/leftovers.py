"""What the end of a connection means for the reply that was coming, and what a server said before it closed on us while
we were still sending: its answer, such as a 413.

A write that fails makes the event loop give the connection up, although bytes may lie in the socket that came before
the server's reset. Linux keeps them until they are read (RFC 9112, 9.6, on why the answer is otherwise lost).
"""

from __future__ import annotations

import asyncio
import os

from pointsman.transports.wire.errors import ConnectionClosed, WireError
from pointsman.transports.wire.reply_parser import ReplyParser

_READ_BYTES = 65_536


def read_leftovers(transport: asyncio.Transport, parser: ReplyParser, limit_bytes: int) -> None:
    """Feed the parser what lies unread in the socket of a transport that is being closed.

    Does nothing on a TLS connection: what lies there is not the server's words but their cipher.

    Args:
        limit_bytes: body bytes after which no more is read.

    Raises:
        ProtocolBroken: it is no HTTP reply.
    """
    sock = transport.get_extra_info("socket")
    if sock is None or transport.get_extra_info("ssl_object") is not None:
        return
    try:
        while (
            not parser.complete
            and parser.buffered_bytes < limit_bytes
            and (data := os.read(sock.fileno(), _READ_BYTES))
        ):
            parser.feed(data)
    except OSError:
        pass  # nothing more there, or the reset itself


def fault_of_end(
    transport: asyncio.Transport, parser: ReplyParser, error: Exception | None, sending: bool, limit_bytes: int
) -> WireError | None:
    """Return why a reply is not whole now that its connection has ended; None if it is whole by that.

    Args:
        transport: of the connection.
        parser: of the reply.
        error: what the connection broke by; None where the server has closed it.
        sending: a part of the request had not left yet.
        limit_bytes: see `read_leftovers`.
    """
    try:
        if error is not None:
            if sending:  # the write failed; what the server said before it closed may lie unread
                read_leftovers(transport, parser, limit_bytes)
            if not sending or parser.status < 300:
                return ConnectionClosed(f"the connection broke: {error}", started=parser.started)
        parser.feed_eof()
    except WireError as fault:
        return fault
    return None
