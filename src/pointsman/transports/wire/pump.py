"""Passes the body of a reply on part by part, in the turn of the event loop in which each part comes.

To wake a task for each part of a stream, through all that it has called until it waits, costs more than what is then
done with the part. So as long as whoever takes the parts need not wait, the task sleeps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pointsman.transports.wire.connection import Connection

Tap = Callable[[bytes], bool]
"""Takes a part of a body if it can do so without waiting; returns whether it has. Must not raise."""


class Pump:
    """One pumping.

    Args:
        tap: takes the parts.

    Attributes:
        left: the part that was not taken.
    """

    __slots__ = ("_tap", "left")

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self.left = b""

    def give(self, connection: Connection) -> bool:
        """Hand on what has come; returns whether that is the end of it: a part was not taken, or it was the last."""
        if connection.parser.buffered_bytes:
            part = connection.take()
            if not self._tap(part):
                self.left = part
                return True
            connection.expect_more()
        return connection.parser.complete


async def pump(connection: Connection, tap: Tap) -> bytes:
    """Give each further part of the body to `tap` as it comes.

    Returns:
        The part that was not taken, behind which none was given out; or nothing at the end of the body.

    Raises:
        ConnectionClosed, ProtocolBroken, Silent: the rest will not come.
    """
    pumping = Pump(tap)
    connection.expect_more()
    while not pumping.left and not pumping.give(connection):
        await connection.feed(pumping)
    return pumping.left
