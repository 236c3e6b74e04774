"""Sends requests to one server and hands out its replies. The face of this folder.

Decides one thing: a request is written again, on another connection, only where the first connection turns out to have
been closed before a byte was written. All else is the caller's to decide, who knows what may be done twice.
"""

from __future__ import annotations

import ssl as tls

from pointsman.transports.wire.errors import ConnectFailed, WireError
from pointsman.transports.wire.origin import parse_origin
from pointsman.transports.wire.pool import Pool
from pointsman.transports.wire.request_head import Headers, encode_head
from pointsman.transports.wire.response import Response


class HttpClient:
    """A pooled HTTP/1.1 client for one server. Belongs to the event loop it is first used in; closed, it stays closed.

    Args:
        base_url: http or https, with an optional path and query that every request is put below.
        max_connections: requests on their way at once, >= 1; further ones wait for their turn.
        connect_timeout_s: longest time to connect, TLS included, seconds. There is no other time-out here: cancel.
        idle_s: how long an unused connection is kept, seconds; 0 keeps none.
        ssl: how to check an https server; None means the certificates the operating system trusts.

    Raises:
        UsageError: the URL cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        *,
        max_connections: int,
        connect_timeout_s: float = 5.0,
        idle_s: float = 30.0,
        ssl: tls.SSLContext | None = None,
    ) -> None:
        self._origin = parse_origin(base_url)
        self._pool = Pool(
            self._origin,
            max_connections=max_connections,
            connect_timeout_s=connect_timeout_s,
            idle_s=idle_s,
            tls=tls.create_default_context() if self._origin.secure and ssl is None else ssl,
        )

    @property
    def open_connections(self) -> int:
        """Connections that are up, busy or idle."""
        return self._pool.open

    @property
    def idle_connections(self) -> int:
        """Connections that wait for a request."""
        return self._pool.idle

    async def request(self, method: str, path: str, headers: Headers, body: bytes = b"") -> Response:
        """Send a request and wait for the status and headers of its reply.

        Use the result in a `with` block, which gives the connection back. A cancelled call closes its connection
        before it passes the cancellation on.

        Args:
            method: upper case.
            path: below the path of `base_url`; empty for that URL itself.
            headers: names and values; `host`, `content-length` and what concerns the connection are added here.
            body: sent whole, with its length.

        Raises:
            ConnectFailed: nothing has been sent.
            ConnectionClosed: no reply came, or not its head; what the server did is not known.
            ProtocolBroken: what came is no HTTP reply.
            UsageError: the request cannot be written down; nothing has been sent.
        """
        head = encode_head(method, self._origin.target(path), self._origin.authority, headers, len(body))
        pool = self._pool
        while True:
            connection = await pool.acquire()
            fresh = connection.fresh
            if connection.begin(method, head, body):
                break
            pool.release(connection, False)
            if fresh:
                raise ConnectFailed(f"{self._origin.authority} closed the connection before the request was written")
        try:
            await connection.read_head()
        except BaseException:
            pool.release(connection, False)
            raise
        return Response(connection, pool.release)

    async def reach(self) -> bool:
        """Whether a new connection can be made now. It is kept for the next request if there is room."""
        try:
            connection = await self._pool.connect()
        except WireError:
            return False
        self._pool.keep(connection)
        return True

    async def close(self) -> None:
        """Close every connection; requests on their way fail with ConnectionClosed. Idempotent."""
        await self._pool.close()
