"""What a simulated loop refuses: everything that would touch sockets, pipes, signals or subprocesses.

Without this the base class would fail somewhere inside, or look up a name for real. Threads are refused in
`loop.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from pointsman.sim.errors import NotSimulated

REFUSED = (
    "add_reader",
    "add_signal_handler",
    "add_writer",
    "connect_accepted_socket",
    "connect_read_pipe",
    "connect_write_pipe",
    "create_connection",
    "create_datagram_endpoint",
    "create_server",
    "create_unix_connection",
    "create_unix_server",
    "getaddrinfo",
    "getnameinfo",
    "remove_reader",
    "remove_signal_handler",
    "remove_writer",
    "sendfile",
    "sock_accept",
    "sock_connect",
    "sock_recv",
    "sock_recv_into",
    "sock_recvfrom",
    "sock_recvfrom_into",
    "sock_sendall",
    "sock_sendfile",
    "sock_sendto",
    "start_tls",
    "subprocess_exec",
    "subprocess_shell",
)


class RealWorldRefused:
    """Mix in before an event loop: its I/O methods raise `NotSimulated` at the call, by name."""


def _refusal(name: str) -> Callable[..., NoReturn]:
    def refuse(*_args: object, **_options: object) -> NoReturn:
        raise NotSimulated(f"{name}() was called")

    return refuse


for _name in REFUSED:
    setattr(RealWorldRefused, _name, _refusal(_name))
