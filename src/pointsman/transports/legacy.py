"""The way to the old router: requests as they came, answers as they come, neither held in memory.

Decides when a request may be written a second time. A connection that rested in the pool may have been closed by the
old router at the moment we wrote: then nothing of an answer comes. Only a request that does no harm twice (RFC 9110,
9.2.2, or one with an Idempotency-Key), and whose body is whole here, is written again; Go's `net/http` does the same.
To meet that seldom, connections rest for a shorter time than servers keep them.

What passes of the headers is decided in `legacy_head`; who is asked at all, in `http.gate`.
"""

from __future__ import annotations

import asyncio
import logging
import ssl as tls
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, NamedTuple

from pointsman.model.errors import LegacyUnreachable, PointsmanError, UsageError
from pointsman.runtime.tasks import BriefTasks
from pointsman.transports import legacy_head
from pointsman.transports.legacy_answer import LegacyAnswer, explain
from pointsman.transports.wire.connection import Connection
from pointsman.transports.wire.errors import ConnectFailed, ConnectionClosed, Silent, WireError
from pointsman.transports.wire.origin import parse_origin
from pointsman.transports.wire.pool import Pool

log = logging.getLogger("pointsman.transports")

More = Callable[[], Awaitable[bytes | None]]
"""Returns the next piece of a request's body, nothing at its end, and None where the client has gone."""

REST_S: Final = 4.0
"""Seconds a connection waits for its next request: a little less than the shortest that servers in use wait (5 s)."""

ASKED_S: Final = 1.0
"""How long a client's `Expect: 100-continue` waits for the old router's word before the body is sent anyway."""

_CONNECT_S: Final = 5.0
_AT_ONCE_BYTES: Final = 65_536  # what more of a body there is, is written as the old router takes it
_HARMLESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})


class _Call(NamedTuple):
    method: str
    head: bytes
    body: bytes
    more: More | None
    is_chunked: bool
    waits: bool


class LegacyLink:
    """The old router. Belongs to the event loop it is first used in.

    Args:
        url: its base URL, http or https; a path in it is put before that of each request.
        max_connections: requests on their way at once, >= 1; further ones wait for their turn.
        timeout_s: longest silence before an answer and within it, seconds.
        ssl: how an https router is checked; None means the certificates the operating system trusts.
        token: returns the key that it is given in place of one of ours; None: such a key is left out.

    Raises:
        UsageError: the URL cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        max_connections: int,
        timeout_s: float,
        ssl: tls.SSLContext | None = None,
        token: Callable[[], str] | None = None,
    ) -> None:
        self._origin = origin = parse_origin(url)
        if origin.query:
            raise UsageError(f"url {url!r}: a query in it would be lost: each request brings its own")
        self._prefix = origin.path.encode("ascii")
        self._authority = origin.authority.encode("ascii")
        self._timeout_s = timeout_s
        self._token = token
        self._max_connections = max_connections
        self._tls = tls.create_default_context() if origin.secure and ssl is None else ssl
        self._pool: Pool | None = None
        self._uploads = BriefTasks("request to the old router")

    @property
    def open_connections(self) -> int:
        """Connections that are up, busy or idle."""
        return 0 if self._pool is None else self._pool.open

    async def open(self) -> None:
        """Be ready to connect; connects to nothing yet. Idempotent."""
        if self._pool is None:
            self._pool = Pool(
                self._origin,
                max_connections=self._max_connections,
                connect_timeout_s=_CONNECT_S,
                idle_s=REST_S,
                tls=self._tls,
            )

    async def close(self) -> None:
        """Close all connections. Idempotent; `open` may follow."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()
            await self._uploads.end(0.0)

    async def probe(self) -> bool:
        """Whether the old router takes a new connection."""
        if self._pool is None:
            return False
        try:
            self._pool.keep(await self._pool.connect())
        except WireError:
            return False
        return True

    async def ask(
        self, method: str, target: bytes, fields: legacy_head.Fields, body: bytes, more: More | None = None
    ) -> LegacyAnswer:
        """Send a request on and return its answer, whose head has come.

        Args:
            method: upper case.
            target: path and query as they came, or `*`.
            fields: the client's headers, names in lower case; they frame the body.
            body: all of it, or what there is of it so far.
            more: brings the rest; None: there is none.

        Raises:
            LegacyFault: there is no answer.
            UsageError: the request cannot be written down; nothing was sent.
            PointsmanError: whatever `more` raised.
        """
        is_chunked = any(name == b"transfer-encoding" for name, _ in fields)
        target = self._prefix + target if target != b"*" else target
        head = legacy_head.encode(method, target, self._authority, fields, is_chunked=is_chunked, token=self._token)
        waits = more is not None and not body and _expects(fields)
        call = _Call(method, head, body, more, is_chunked, waits)
        may_repeat = more is None and (method in _HARMLESS or any(name == b"idempotency-key" for name, _ in fields))
        while True:
            connection, pool = await self._connect()
            was_fresh = connection.fresh
            answer = LegacyAnswer(connection, pool.release)
            may_go_on = may_repeat
            try:
                if self._begin(call, connection, answer):
                    await self._listen(connection, answer)
                    return answer
                may_go_on = True
                fault = ConnectionClosed("it closed the connection as soon as it was made", started=False)
            except ConnectionClosed as error:
                fault = error
            except BaseException:
                answer.close()
                raise
            answer.close()
            if was_fresh or fault.started or not may_go_on:
                raise answer.fault or explain(fault) from None

    async def _connect(self) -> tuple[Connection, Pool]:
        pool = self._pool
        if pool is None:
            raise LegacyUnreachable("the way to the old router is closed: this router shuts down")
        try:
            return pool.take() or await pool.acquire(), pool
        except ConnectFailed as fault:
            raise explain(fault) from None

    def _begin(self, call: _Call, connection: Connection, answer: LegacyAnswer) -> bool:
        """Write the request, or its beginning; returns whether anything was written."""
        body = call.body
        is_long = call.more is not None or len(body) > _AT_ONCE_BYTES
        first = b"" if is_long else _framed(body, is_last=True) if call.is_chunked else body
        if not connection.begin(call.method, call.head, first, self._timeout_s, self._timeout_s):
            return False
        if is_long:
            connection.open_body()
            work = self._send_body(call, connection, answer)
            self._uploads.start(asyncio.get_running_loop(), work, partial(_on_sent, connection))
        return True

    async def _listen(self, connection: Connection, answer: LegacyAnswer) -> None:
        """Wait until the answer begins.

        Raises:
            ConnectionClosed: it was not begun.
            LegacyFault: it will not, for another reason.
        """
        try:
            if connection.sending and not connection.is_open:
                # Its own time begins once the request has left.
                async with asyncio.timeout(self._timeout_s):
                    await answer.begin()
            else:
                await answer.begin()
        except ConnectionClosed:
            raise
        except WireError as fault:
            raise explain(fault) from None
        except TimeoutError:
            raise explain(Silent(f"it took no request within {self._timeout_s:g} s", started=False)) from None

    async def _send_body(self, call: _Call, connection: Connection, answer: LegacyAnswer) -> None:
        """Write the body as fast as the old router takes it, and its sender sends it."""
        if answer.is_closed:
            return
        answer.sending = asyncio.current_task()
        try:
            if call.waits:
                await _within(connection.asked(), ASKED_S)
            for at in range(0, len(call.body), _AT_ONCE_BYTES):
                if not await self._give(call, connection, call.body[at : at + _AT_ONCE_BYTES]):
                    return
            if call.more is not None:
                while piece := await call.more():
                    if not await self._give(call, connection, piece):
                        return
                if piece is None:
                    connection.abort()
                    return
            if call.is_chunked:
                await connection.give(_framed(b"", is_last=True))
            connection.end_body()
        except PointsmanError as fault:
            answer.fault = fault
            connection.abort()

    async def _give(self, call: _Call, connection: Connection, piece: bytes) -> bool:
        part = _framed(piece, is_last=False) if call.is_chunked else piece
        wanted = await _within(connection.give(part), self._timeout_s)
        if wanted is None:
            connection.abort(Silent(f"it took nothing of the request for {self._timeout_s:g} s", started=False))
        return bool(wanted)


def _on_sent(connection: Connection, fault: BaseException | None) -> None:
    """The body was written, or will not be: then nobody is to wait for an answer to half a request."""
    if isinstance(fault, Exception):
        log.error("a request to the old router failed: a bug in Pointsman, please report it", exc_info=fault)
        connection.abort()


def _framed(piece: bytes, *, is_last: bool) -> bytes:
    """Return a piece of a body as a chunk."""
    chunk = b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
    return chunk + b"0\r\n\r\n" if is_last else chunk


def _expects(fields: legacy_head.Fields) -> bool:
    return any(name == b"expect" and value.lower() == b"100-continue" for name, value in fields)


async def _within(work: Awaitable[bool | None], limit_s: float) -> bool | None:
    """Return what `work` returns, or None where that takes too long."""
    try:
        async with asyncio.timeout(limit_s):
            return await work
    except TimeoutError:
        return None
