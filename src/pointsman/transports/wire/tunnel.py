"""Asks a proxy for a way through to a server, and secures it. Nothing here is kept: the way is a transport like any.

Source: RFC 9110 (9.3.6, CONNECT).
"""

from __future__ import annotations

import asyncio
import ssl

from pointsman.transports.wire.connection import Connection
from pointsman.transports.wire.errors import ConnectFailed, ConnectionClosed, WireError
from pointsman.transports.wire.proxy import Proxy
from pointsman.transports.wire.reply_parser import ReplyParser


class _Request(asyncio.Protocol):
    """The one request that is the proxy's own to answer. `answered` becomes the status of its answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.answered: asyncio.Future[int] = loop.create_future()
        self._parser = ReplyParser()
        self._parser.expect("CONNECT")

    def data_received(self, data: bytes) -> None:
        """A part of the answer has come."""
        try:
            self._parser.feed(data)
        except WireError as fault:
            self._fail(fault)
        if self._parser.headers_complete and not self.answered.done():
            self.answered.set_result(self._parser.status)

    def connection_lost(self, exc: Exception | None) -> None:
        """The proxy has gone."""
        self._fail(ConnectionClosed("it closed the connection without an answer", started=False))

    def _fail(self, fault: WireError) -> None:
        if not self.answered.done():
            self.answered.set_exception(fault)


async def open_tunnel(
    loop: asyncio.AbstractEventLoop,
    proxy: Proxy,
    host: str,
    port: int,
    tls: ssl.SSLContext,
    connection: Connection,
) -> asyncio.Transport:
    """Connect to a server through a proxy and by TLS, and tell `connection` so.

    `connection_made` is called twice: with what leads to the server, still bare, so that a close finds it, and with the
    secured transport. If this fails, `connection_lost` may not have been called.

    Raises:
        ConnectFailed: the proxy does not let us through.
        OSError: there is no connection to the proxy, or the server's certificate or TLS is not right.
    """
    transport, request = await loop.create_connection(lambda: _Request(loop), proxy.host, proxy.port)
    try:
        transport.write(_connect_head(proxy, host, port))
        try:
            status = await request.answered
        except WireError as fault:
            raise ConnectFailed(f"proxy {proxy.authority} does not let us through: {fault}") from None
        if not 200 <= status < 300:
            raise ConnectFailed(proxy.explain(status))
        connection.connection_made(transport)
        secured = await loop.start_tls(transport, connection, tls, server_hostname=host)
        if secured is None or transport.is_closing():  # lost meanwhile, and not every event loop says so
            raise ConnectionResetError("the connection was closed while it was secured")
        connection.connection_made(secured)
        return secured
    except BaseException:
        transport.abort()
        raise


def _connect_head(proxy: Proxy, host: str, port: int) -> bytes:
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"host: {target}"]
    if proxy.authorization is not None:
        lines.append(f"proxy-authorization: {proxy.authorization}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")
