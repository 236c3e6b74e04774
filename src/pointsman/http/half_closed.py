"""Finds out whether a client that sends no more still reads.

One that shuts down its sending side after its request (`nc -N`, some libraries) and one that hangs up look the same:
the end of what it sends. The first wants its answer, the message of the second must be cancelled at once. They differ
once something is sent to them: the system of the second answers by a reset. So an interim answer is sent, which every
HTTP/1.1 client must be able to skip (RFC 9110, 15.2), a moment later so that a quick answer goes without it, and then
the socket is asked whether it was reset: often while a reset is likely to come, and now and then as long as the answer
takes, for one who goes later.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pointsman.http.turn import Turn

ASK_AFTER_S: Final = 0.005
OFTEN_S: Final = 0.04
RARELY_S: Final = 1.0
"""A reset comes within a round trip, at most some 2 s to the other end of the world; after that it is a new event."""

LONG_S: Final = 2.0

INTERIM: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


def ask_whether_gone(turn: Turn, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
    """Break the connection off as soon as it turns out that its client is gone."""
    loop.call_later(ASK_AFTER_S, _ask, turn, transport, loop)


def _ask(turn: Turn, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
    if turn.is_over:
        return
    if not turn.is_begun:
        transport.write(INTERIM)
    # An answer that has begun meanwhile asks as well: it was written after the client sent its last.
    loop.call_later(ASK_AFTER_S, _listen, turn, transport, loop, ASK_AFTER_S)


def _listen(turn: Turn, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, waited_s: float) -> None:
    if turn.is_over:
        return
    if _is_reset(transport):
        transport.abort()
    else:
        pause_s = min(waited_s, OFTEN_S) if waited_s < LONG_S else RARELY_S
        loop.call_later(pause_s, _listen, turn, transport, loop, waited_s + pause_s)


def _is_reset(transport: asyncio.Transport) -> bool:
    asked = transport.get_extra_info("socket")
    try:
        return bool(asked.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    except OSError:
        return True
