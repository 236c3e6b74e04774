"""Sends requests to one server and hands out its replies. The face of this folder.

Decides one thing: a request is written again, on another connection, only where the first connection turns out to have
been closed before a byte was written. All else is the caller's to decide, who knows what may be done twice.
"""

from __future__ import annotations

import ssl as tls

from pointsman.transports.wire.errors import ConnectFailed, WireError
from pointsman.transports.wire.origin import parse_origin
from pointsman.transports.wire.pool import Pool
from pointsman.transports.wire.proxy import Proxy
from pointsman.transports.wire.request_head import Headers, encode_head
from pointsman.transports.wire.response import Response


class HttpClient:
    """A pooled HTTP/1.1 client for one server. Belongs to the event loop it is first used in; closed, it stays closed.

    Args:
        base_url: http or https, with an optional path and query that every request is put below.
        max_connections: requests on their way at once, >= 1; further ones wait for their turn.
        connect_timeout_s: longest time to connect, proxy and TLS included, seconds.
        idle_s: how long an unused connection is kept, seconds; 0 keeps none.
        ssl: how to check an https server; None means the certificates the operating system trusts.
        proxy: where all requests go instead; it passes them on. An https server is reached by a tunnel through it.

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
        proxy: Proxy | None = None,
    ) -> None:
        self._origin = origin = parse_origin(base_url)
        # A proxy that passes a request on must be told where to: its target is the whole URL.
        self._asked_proxy = None if origin.secure else proxy
        self._before_path = "" if self._asked_proxy is None else f"http://{origin.authority}"
        self._proxy_authorization = None if self._asked_proxy is None else self._asked_proxy.authorization
        self._pool = Pool(
            origin,
            max_connections=max_connections,
            connect_timeout_s=connect_timeout_s,
            idle_s=idle_s,
            tls=tls.create_default_context() if origin.secure and ssl is None else ssl,
            proxy=proxy,
        )

    @property
    def open_connections(self) -> int:
        """Connections that are up, busy or idle."""
        return self._pool.open

    @property
    def idle_connections(self) -> int:
        """Connections that wait for a request."""
        return self._pool.idle

    async def request(
        self,
        method: str,
        path: str,
        headers: Headers,
        body: bytes = b"",
        *,
        lines: bytes = b"",
        first_s: float | None = None,
        idle_s: float | None = None,
    ) -> Response:
        """Send a request and wait for the status and headers of its reply.

        Use the result in a `with` block, which gives the connection back. A cancelled call closes its connection
        before it passes the cancellation on. While a large body is on its way no time-out runs here: cancel.

        Args:
            method: upper case.
            path: below the path of `base_url`; empty for that URL itself.
            headers: names and values; `host`, `content-length` and what concerns the connection are added here.
            body: sent whole, with its length.
            lines: further headers, see `request_head.encode_lines`: what many requests say need be encoded once only.
            first_s: longest time from the request's last byte to the first byte of the reply's body, seconds, > 0.
            idle_s: longest silence after it, seconds, > 0; counted only while somebody waits for the next byte.

        Raises:
            ConnectFailed: nothing has been sent, or nothing but to a proxy that does not know us.
            ConnectionClosed: no reply came, or not its head; what the server did is not known.
            ProtocolBroken: what came is no HTTP reply.
            Silent: it did not come within `first_s`.
            UsageError: the request cannot be written down; nothing has been sent.
        """
        origin = self._origin
        target = self._before_path + origin.target(path)
        head = encode_head(method, target, origin.authority, headers, len(body), self._proxy_authorization, lines)
        pool = self._pool
        while True:
            connection = pool.take() or await pool.acquire()
            fresh = connection.fresh
            if connection.begin(method, head, body, first_s, idle_s):
                break
            pool.release(connection, False)
            if fresh:
                raise ConnectFailed(f"{origin.authority} closed the connection before the request was written")
        try:
            await connection.read_head()
            if self._asked_proxy is not None and connection.parser.status == 407:
                raise ConnectFailed(self._asked_proxy.explain(407))
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
