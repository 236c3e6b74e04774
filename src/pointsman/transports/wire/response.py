"""A reply as its caller sees it: status, headers, and a body that is read piece by piece or whole.

Whoever holds a Response holds its connection. `with` gives it back whatever happens: a body read to its end keeps the
connection for the next request, anything else closes it at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import TracebackType

from pointsman.transports.wire.connection import Connection
from pointsman.transports.wire.errors import BodyTooLarge
from pointsman.transports.wire.pump import Tap, pump


class Response:
    """A reply whose status and headers have come.

    Attributes:
        status: 200..999.
    """

    __slots__ = ("_connection", "_fields", "_release", "status")

    def __init__(self, connection: Connection, release: Callable[[Connection, bool], None]) -> None:
        self.status = connection.parser.status
        self._fields = connection.parser.fields
        self._connection: Connection | None = connection
        self._release = release

    @property
    def headers(self) -> list[tuple[str, str]]:
        """All headers in the order they came: names in lower case, values trimmed, bytes as Latin-1."""
        return [(name.decode("latin-1"), value.decode("latin-1").strip(" \t")) for name, value in self._fields]

    def header(self, name: str) -> str | None:
        """Return the value of the first header called `name` (lower case), or None."""
        wanted = name.encode("latin-1")
        for field, value in self._fields:
            if field == wanted:
                return value.decode("latin-1").strip(" \t")
        return None

    async def next_chunk(self) -> bytes:
        """Return the next part of the body as soon as there is one; empty at its end.

        Raises:
            ConnectionClosed, ProtocolBroken, Silent: the body is cut short. What came before has been given out.
        """
        connection = self._connection
        if connection is None:
            return b""
        chunk = await connection.read_chunk()
        if not chunk:
            self._give_back(connection, connection.finish())
        return chunk

    async def pump(self, tap: Tap) -> bytes:
        """Give each further part of the body to `tap` as soon as it comes, see `wire.pump`.

        Returns:
            The part that `tap` did not take; or nothing at the end of the body.

        Raises:
            ConnectionClosed, ProtocolBroken, Silent: as above.
        """
        connection = self._connection
        if connection is None:
            return b""
        chunk = await pump(connection, tap)
        if not chunk:
            self._give_back(connection, connection.finish())
        return chunk

    async def chunks(self) -> AsyncIterator[bytes]:
        """Iterate over the body as it comes; no part is empty or held back, chunk borders mean nothing.

        Raises:
            ConnectionClosed, ProtocolBroken, Silent: the body is cut short. What came before has been given out.
        """
        while chunk := await self.next_chunk():
            yield chunk

    async def read(self, limit_bytes: int) -> bytes:
        """Return the whole body.

        Args:
            limit_bytes: longest body taken.

        Raises:
            BodyTooLarge: it is longer; the connection is closed.
            ConnectionClosed, ProtocolBroken, Silent: it is cut short.
        """
        parts: list[bytes] = []
        size = 0
        while (connection := self._connection) is not None:
            complete = connection.parser.complete
            chunk = connection.take() if complete else await connection.read_chunk()
            size += len(chunk)
            if size > limit_bytes:
                self.release()
                raise BodyTooLarge(f"the reply is longer than {limit_bytes} bytes")
            parts.append(chunk)
            if complete or not chunk:
                self._give_back(connection, connection.finish())
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def release(self) -> None:
        """Give the connection back; closes it unless the body has been read to its end. Idempotent."""
        if (connection := self._connection) is not None:
            self._give_back(connection, False)

    def _give_back(self, connection: Connection, reusable: bool) -> None:
        self._connection = None
        self._release(connection, reusable)

    def __enter__(self) -> Response:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
