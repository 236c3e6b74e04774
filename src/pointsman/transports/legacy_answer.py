"""An answer of the old router, piece by piece as it comes, and what is said where it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pointsman.model.errors import (
    LegacyClosed,
    LegacyFault,
    LegacyGarbage,
    LegacyTimeout,
    LegacyUnreachable,
    PointsmanError,
)
from pointsman.transports import legacy_head
from pointsman.transports.wire.connection import Connection
from pointsman.transports.wire.errors import ConnectFailed, ProtocolBroken, Silent, WireError


class LegacyAnswer:
    """An answer of the old router. Whoever holds it holds a connection, and must `close` it whatever happens.

    Attributes:
        status: 200..999.
        fields: its headers as they came, in their order, but for those of its connection; names in lower case.
        is_sized: its length is known from its headers, or it has no body.
        sending: the task that passes on the request's body, once it has begun.
        is_closed: nobody wants any more of it.
        fault: what kept the rest of that body from coming.
    """

    __slots__ = ("_connection", "_release", "fault", "fields", "is_closed", "is_sized", "sending", "status")

    def __init__(self, connection: Connection, release: Callable[[Connection, bool], None]) -> None:
        self.status = 0
        self.fields: list[tuple[bytes, bytes]] = []
        self.is_sized = False
        self.is_closed = False
        self.sending: asyncio.Task[None] | None = None
        self.fault: PointsmanError | None = None
        self._connection: Connection | None = connection
        self._release = release

    async def begin(self) -> None:
        """Wait for status and headers.

        Raises:
            WireError: they will not come.
        """
        connection = self._connection
        assert connection is not None
        await connection.read_head()
        parser = connection.parser
        self.status = parser.status
        self.fields = [(name, value.strip(b" \t")) for name, value in legacy_head.passing(parser.fields)]
        self.is_sized = any(name == b"content-length" for name, _ in parser.fields)

    @property
    def has_more(self) -> bool:
        """Whether `read` would return at once."""
        connection = self._connection
        return connection is None or connection.parser.complete or connection.parser.buffered_bytes > 0

    async def read(self) -> bytes:
        """Return the next part of the body as soon as there is one; empty at its end.

        Raises:
            LegacyFault: the rest will not come.
        """
        connection = self._connection
        if connection is None:
            return b""
        try:
            part = await connection.read_chunk()
        except WireError as fault:
            raise self.fault or explain(fault) from None
        if not part:
            self._let_go(connection.finish())
        return part

    def close(self) -> None:
        """Give the connection back; closed at once unless the answer was read to its end. Idempotent."""
        self._let_go(False)

    def _let_go(self, is_reusable: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        self.is_closed = True
        if self.sending is not None:
            self.sending.cancel()
        self._release(connection, is_reusable)


def explain(fault: WireError) -> LegacyFault:
    """Return a fault on the wire in the words of whoever asked the old router."""
    match fault:
        case ConnectFailed():
            return LegacyUnreachable(f"the old router cannot be reached: {fault}")
        case Silent():
            return LegacyTimeout(f"the old router is silent: {fault}")
        case ProtocolBroken():
            return LegacyGarbage(f"what the old router answers cannot be understood: {fault}")
        case _:
            return LegacyClosed(f"the old router hung up: {fault}")
