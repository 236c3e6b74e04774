"""Which connection carries the next request, how many there are, and how long an idle one is kept.

The connection used last is used next (so that surplus ones fall idle and are closed), never more than `max_connections`
at once. A server that announces `Keep-Alive: timeout=N` is believed: we close before it does, because a request that
crosses its close on the wire has an unknown fate.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections import deque

from pointsman.transports.wire.connection import Connection
from pointsman.transports.wire.errors import ConnectFailed
from pointsman.transports.wire.origin import Origin
from pointsman.transports.wire.proxy import Proxy
from pointsman.transports.wire.tunnel import open_tunnel

_ANNOUNCED = re.compile(rb"timeout=(\d{1,6})")
_INBOX_BYTES = 262_144  # so large that the system gives memory only to what is really read into
_MARGIN_S = 1.0  # how much earlier than the server we close

# A worker may think for hours without a byte: probe the peer, so that routers in between remember the connection and
# a machine that vanished is noticed after two minutes.
_PROBING = [
    (getattr(socket, name), value)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
    if hasattr(socket, name)
]


class Pool:
    """The connections to one server. Belongs to the event loop it is first used in.

    Args:
        origin: where to connect to.
        max_connections: requests on their way at once; further ones wait for their turn, first come, first served.
        connect_timeout_s: longest time to connect, TLS included, seconds.
        idle_s: longest time a connection waits for its next request, seconds.
        tls: how to check the server where `origin.secure`.
        proxy: what to connect to instead; a secure server is then reached by a tunnel through it.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        max_connections: int,
        connect_timeout_s: float,
        idle_s: float,
        tls: ssl.SSLContext | None,
        proxy: Proxy | None = None,
    ) -> None:
        self._origin = origin
        self._connect_timeout_s = connect_timeout_s
        self._idle_s = idle_s
        self._tls = tls
        self._proxy = proxy
        self._where = f"{origin.host} port {origin.port}" + (f" through proxy {proxy.authority}" if proxy else "")
        self._inbox = memoryview(bytearray(_INBOX_BYTES))
        self._max_connections = max_connections
        self._free_slots = max_connections
        self._queue: deque[asyncio.Future[None]] = deque()
        self._open: set[Connection] = set()
        self._idle: list[Connection] = []
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._all_lost: asyncio.Future[None] | None = None

    @property
    def open(self) -> int:
        """Connections that are up, busy or idle."""
        return len(self._open)

    @property
    def idle(self) -> int:
        """Connections that wait for a request."""
        return len(self._idle)

    def take(self) -> Connection | None:
        """Return an idle connection for one exchange if it can be had at once; else `acquire` one."""
        if self._free_slots and self._idle and (connection := self._take_idle()) is not None:
            self._free_slots -= 1
            return connection
        return None

    async def acquire(self) -> Connection:
        """Return a connection for one exchange; every one must come back through `release`.

        Raises:
            ConnectFailed: there is none and none could be made, or the pool is closed.
        """
        await self._acquire_slot()
        try:
            return self._take_idle() or await self.connect()
        except BaseException:
            self._release_slot()
            raise

    def release(self, connection: Connection, reusable: bool) -> None:
        """Take a connection back after its exchange; one that is not reusable is closed at once."""
        if reusable:
            self.keep(connection)
        else:
            connection.abort()
        self._release_slot()

    async def _acquire_slot(self) -> None:
        if self._free_slots:
            self._free_slots -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._release_slot()  # it was our turn already: the next one's now
            elif turn in self._queue:
                self._queue.remove(turn)
            raise

    def _release_slot(self) -> None:
        """Hand the slot to whoever has waited longest; it is free only where nobody waits."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free_slots += 1

    def keep(self, connection: Connection) -> None:
        """Hold an idle connection for the next request, as long as that is wise and there is room."""
        keep_s = connection.keep_s
        if keep_s is None:  # asked once: a server announces the same with every reply
            keep_s = connection.keep_s = min(self._idle_s, _announced_s(connection))
        if keep_s <= 0 or len(self._open) > self._max_connections or not connection.usable:
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        connection.idle_until = loop.time() + keep_s
        self._idle.append(connection)
        if self._timer is None:
            self._timer = loop.call_later(keep_s, self._close_stale)

    async def connect(self) -> Connection:
        """Make a connection outside the count of requests.

        Raises:
            ConnectFailed: none came about in time.
        """
        where = f"cannot connect to {self._where}"
        self._check_open(where)
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                connection = await self._connect(asyncio.get_running_loop())
        except TimeoutError:
            raise ConnectFailed(f"{where}: no answer within {self._connect_timeout_s:g} s") from None
        except OSError as error:
            raise ConnectFailed(f"{where}: {error.strerror or error}") from None
        try:
            self._check_open(where)
        except ConnectFailed:
            connection.abort()
            raise
        return connection

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> Connection:
        origin, proxy = self._origin, self._proxy
        connection = Connection(loop, self._inbox, self._open.add, self._forget)
        transport: asyncio.Transport
        try:
            if proxy is not None and origin.secure and self._tls is not None:
                transport = await open_tunnel(loop, proxy, origin.host, origin.port, self._tls, connection)
            else:
                there = proxy or origin
                tls, name = (self._tls, origin.host) if origin.secure else (None, None)
                transport, _ = await loop.create_connection(
                    lambda: connection, there.host, there.port, ssl=tls, server_hostname=name
                )
        except BaseException:
            # It may have been made already; then not every event loop tells that it is lost.
            if connection in self._open:
                connection.abort()
                self._forget(connection)
            raise
        _probe_when_silent(transport)
        return connection

    async def close(self) -> None:
        """Close every connection and return when all are gone; one still being made is closed once up. Idempotent."""
        self._closed = True
        self._idle.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for connection in list(self._open):
            connection.abort()
        if self._open:
            if self._all_lost is None:
                self._all_lost = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._all_lost)

    def _check_open(self, where: str) -> None:
        if self._closed:
            raise ConnectFailed(f"{where}: this client is closed")

    def _take_idle(self) -> Connection | None:
        """Return the idle connection used last that still lives."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and asyncio.get_running_loop().time() < connection.idle_until:
                return connection
            connection.abort()
        return None

    def _close_stale(self) -> None:
        """Close what has been idle too long, and come back for the next."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        stale = [connection for connection in self._idle if connection.idle_until <= now]
        self._idle = [connection for connection in self._idle if connection.idle_until > now]
        for connection in stale:
            connection.abort()
        self._timer = None
        if self._idle:
            next_s = min(connection.idle_until for connection in self._idle)
            self._timer = loop.call_at(next_s, self._close_stale)

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if not self._open and self._all_lost is not None:
            self._all_lost.set_result(None)
            self._all_lost = None


def _probe_when_silent(transport: asyncio.Transport) -> None:
    """Ask the operating system to find out whether a silent peer is still there."""
    try:
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _PROBING:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
    except OSError:
        pass  # closed already; whoever uses it will see


def _announced_s(connection: Connection) -> float:
    """Return for how many seconds the server says it keeps an idle connection, less a margin; infinity if not said."""
    for name, value in connection.parser.fields:
        if name == b"keep-alive" and (found := _ANNOUNCED.search(value)):
            return int(found[1]) - _MARGIN_S
    return float("inf")
