"""Binds the address, serves the application, stops when told. Signals are the caller's business.

The caller that is asked to stop first makes `/readyz` say no and drains the router, which refuses new
messages, and then calls `begin_stop`: connections that are idle close at once, the others after their answer.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import re
import socket
from collections.abc import Callable, Sequence
from typing import Final

from pointsman.http.connection import Connection
from pointsman.http.site import Application, Site
from pointsman.model.errors import PointsmanError
from pointsman.model.settings import ServerSettings
from pointsman.ports import Clock
from pointsman.runtime.clock import SystemClock

log = logging.getLogger("pointsman.http")

# A message may take hours: probe its client, so that routers in between remember the connection and a machine that
# vanished is noticed after two minutes. Connections have it from the socket they were accepted on.
_PROBING: Final = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *[
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
        if hasattr(socket, name)
    ],
]

_BACKLOG: Final = 2048
LAST_ANSWERS_S: Final = 5.0
"""Seconds for answers that are known to be written, at the least."""

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


def bind(listen: str, *, is_guarded: bool = False) -> socket.socket:
    """Return a socket that listens on `listen`, such as `127.0.0.1:8080` or `[::1]:0` (0 = any free port).

    Args:
        listen: address and port.
        is_guarded: whoever sends a request must show an API key, so that others may reach the address.

    Raises:
        NotLoopback: the address is none of this machine's loopback, and nobody needs a key.
        PortTaken: another process listens there.
        ListenError: it is no address, or cannot be used.
    """
    host, port = _parse(listen, is_guarded)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where it reads this protocol; with it on, each answer takes 40 ms.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for level, option, value in _PROBING:
            found.setsockopt(level, option, value)
        found.bind((host, port))
        found.listen(_BACKLOG)
    except OSError as error:
        found.close()
        raise _explain(error, listen, port) from None
    found.setblocking(False)
    return found


def _parse(listen: str, is_guarded: bool) -> tuple[str, int]:
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
    if not address.is_loopback and not is_guarded:
        raise NotLoopback(
            f"server.listen: {host} can be reached by others, and there is no usable API key, so that whoever reaches"
            " the router could use it: make one with `pointsman keys create NAME`, or listen on 127.0.0.1 or [::1]"
        )
    return host, int(parts["port"])


def _explain(error: OSError, listen: str, port: int) -> PointsmanError:
    if error.errno == errno.EADDRINUSE:
        return PortTaken(
            f"server.listen: {listen} is taken by another process, perhaps another pointsman; stop it, or choose"
            f" another port, such as {port + 1}, or 0 for any free one"
        )
    return ListenError(f"server.listen: cannot listen on {listen}: {error.strerror}")


class HttpServer:
    """Serves one application on sockets that are bound already.

    Args:
        app: what is served.
        settings: bounds.
        sockets: from `bind`; closed at the end.
        clock: for the date of answers; None for the machine's.
        takes_any_target: see `RequestReader`.

    Attributes:
        has_cut: it has stopped, and cut off answers in hand.
    """

    def __init__(
        self,
        app: Application,
        settings: ServerSettings,
        sockets: Sequence[socket.socket],
        clock: Clock | None = None,
        *,
        takes_any_target: bool = False,
    ) -> None:
        self._app = app
        self._takes_any_target = takes_any_target
        self._settings = settings
        self._sockets = list(sockets)
        self._clock = clock or SystemClock()
        self._stop_asked = asyncio.Event()
        self._patience_s = LAST_ANSWERS_S
        self.has_cut = False
        self._site: Site | None = None

    @property
    def urls(self) -> list[str]:
        """Where it can be reached."""
        names = [one.getsockname() for one in self._sockets]
        return [f"http://{f'[{name[0]}]' if ':' in name[0] else name[0]}:{name[1]}" for name in names]

    async def run(self, on_started: Callable[[], None]) -> None:
        """Serve until `begin_stop`; `on_started` is called once it accepts."""
        loop = asyncio.get_running_loop()
        self._site = site = Site(self._app, self._settings, self._clock, loop, takes_any_target=self._takes_any_target)
        servers = []
        try:
            for one in self._sockets:
                servers.append(await loop.create_server(lambda: Connection(site), sock=one, backlog=_BACKLOG))
            on_started()
            await self._stop_asked.wait()
        finally:
            for server in servers:
                server.close()
            for one in self._sockets:
                one.close()
            self.has_cut = not await site.stop(self._patience_s)
            if self.has_cut:
                log.error("connections were cut off: their answers were not written in time")

    def begin_stop(self, patience_s: float = LAST_ANSWERS_S) -> None:
        """Accept nothing new, finish the answers in hand, and let `run` return. Idempotent.

        Args:
            patience_s: seconds after which what is not answered is cut off.
        """
        self._patience_s = patience_s
        self._stop_asked.set()

    def hurry(self) -> None:
        """Once told to stop: cut off now what is not answered."""
        self._patience_s = 0.0
        if self._site is not None and self._stop_asked.is_set():
            self._site.hurry()
