"""Runs the application on uvicorn: binds the address, serves, stops when told. Signals are the caller's
business.

The caller that is asked to stop first makes `/readyz` say no and drains the router, which refuses new
messages, and then calls `begin_stop`: connections that are idle close at once, the others after their answer.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import re
import socket
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final

import uvicorn

from pointsman.http.connection import Connection
from pointsman.model.errors import PointsmanError
from pointsman.model.settings import ServerSettings

KEEP_ALIVE_S: Final = 75
"""Seconds a connection may rest between requests: longer than common clients keep theirs (60 s and less), so that it is
they who close."""

_BACKLOG: Final = 2048
_LAST_ANSWERS_S: Final = 5
_LISTEN: Final = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(?P<port>[0-9]{1,5})")


class PortTaken(PointsmanError):
    """Another process listens there already."""

    code = "port_taken"


class NotLoopback(PointsmanError):
    """The address could be reached by others, and nobody has to show a key yet."""

    code = "not_loopback"


class ListenError(PointsmanError):
    """The address cannot be listened on."""

    code = "usage"


def bind(listen: str) -> socket.socket:
    """Return a socket that listens on `listen`, such as `127.0.0.1:8080` or `[::1]:0` (0 = any free port).

    Raises:
        NotLoopback: the address is none of this machine's loopback.
        PortTaken: another process listens there.
        ListenError: it is no address, or cannot be used.
    """
    host, port = _parse(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where it reads this protocol; with it on, each answer takes 40 ms.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(_BACKLOG)
    except OSError as error:
        found.close()
        raise _explain(error, listen, port) from None
    found.setblocking(False)
    return found


def _parse(listen: str) -> tuple[str, int]:
    parts = _LISTEN.fullmatch(listen)
    if parts is None or int(parts["port"]) > 65_535:
        raise ListenError(
            f"server.listen: got {listen[:80]!r}, expected ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080"
        )
    host = "127.0.0.1" if parts["host"] == "localhost" else parts["host"].strip("[]")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ListenError(f"server.listen: got {listen!r}, expected an address or localhost, not a name") from None
    if not address.is_loopback:
        raise NotLoopback(
            f"server.listen: {host} can be reached by others, and whoever reaches the router may use it: create API"
            " keys first. They do not exist in this version yet, so listen on 127.0.0.1 or [::1]"
        )
    return host, int(parts["port"])


def _explain(error: OSError, listen: str, port: int) -> PointsmanError:
    if error.errno == errno.EADDRINUSE:
        return PortTaken(
            f"server.listen: {listen} is taken by another process, perhaps another pointsman; stop it, or choose"
            f" another port, such as {port + 1}, or 0 for any free one"
        )
    return ListenError(f"server.listen: cannot listen on {listen}: {error.strerror}")


class _SilentServer(uvicorn.Server):
    """uvicorn's server without its signal handlers, and with word when it accepts."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the caller."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept."""
        await super().startup(sockets)
        self._on_started()


class HttpServer:
    """Serves one application on sockets that are bound already.

    Args:
        app: an ASGI application.
        settings: bounds.
        sockets: from `bind`; closed at the end.
    """

    def __init__(self, app: Any, settings: ServerSettings, sockets: Sequence[socket.socket]) -> None:
        self._sockets = list(sockets)
        self._server: _SilentServer | None = None
        self._stopping = False
        self._config = uvicorn.Config(
            app,
            http=type("BoundedConnection", (Connection,), {"most": settings.max_connections}),
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            forwarded_allow_ips="",
            workers=1,
            backlog=_BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=_LAST_ANSWERS_S,
        )

    @property
    def urls(self) -> list[str]:
        """Where it can be reached."""
        names = [one.getsockname() for one in self._sockets]
        return [f"http://{f'[{name[0]}]' if ':' in name[0] else name[0]}:{name[1]}" for name in names]

    async def run(self, on_started: Callable[[], None]) -> None:
        """Serve until `begin_stop`; `on_started` is called once it accepts."""
        self._server = _SilentServer(self._config, on_started)
        self._server.should_exit = self._stopping
        await self._server.serve(self._sockets)

    def begin_stop(self) -> None:
        """Accept nothing new, finish the answers in hand, and let `run` return. Idempotent."""
        self._stopping = True
        if self._server is not None:
            self._server.should_exit = True
