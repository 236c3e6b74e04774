"""Takes a worker's URL apart, once, and refuses what could send requests astray.

Refused by name: other schemes, user names and passwords (they would end up in logs; `auth` exists), fragments, white
space, characters that need percent-encoding. Nothing here asks the environment for a proxy.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from pointsman.model.errors import UsageError

_PORTS = {"http": 80, "https": 443}
_VISIBLE = re.compile(r"[!-~]+")
_LABEL = r"[A-Za-z0-9_-]{1,63}"
_HOST_AND_PORT = re.compile(rf"(?:\[([0-9A-Fa-f:.]+)\]|({_LABEL}(?:\.{_LABEL}){{0,126}}\.?))(?::([0-9]{{0,5}}))?")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where requests go.

    Attributes:
        secure: by TLS.
        host: name or address to connect to; IPv6 without brackets.
        port: 1..65535.
        authority: value of the Host header: the port is left out where it is the scheme's own.
        path: the URL's own path, without a final slash; may be empty.
        query: the URL's own query, without the question mark.
    """

    secure: bool
    host: str
    port: int
    authority: str
    path: str
    query: str

    def target(self, path: str = "") -> str:
        """Return the request target for `path` below the URL's own path; the URL's query stays at the end."""
        whole = self.path + path or "/"
        return f"{whole}?{self.query}" if self.query else whole


def parse_origin(url: str) -> Origin:
    """Take an http or https URL apart.

    Raises:
        UsageError: the URL cannot be used; the text says why.
    """
    if not _VISIBLE.fullmatch(url):
        raise UsageError(
            f"url {url!r}: white space and characters beyond ASCII must be percent-encoded (a host name: as xn--...)"
        )
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UsageError(f"url {url!r}: {error}") from None
    if parts.scheme not in _PORTS:
        raise UsageError(f"url {url!r}: expected http:// or https://")
    if "@" in parts.netloc:
        host = parts.netloc.rpartition("@")[2]
        raise UsageError(f"url for {host}: a user or password in it would be logged; use `auth`")
    if parts.fragment:
        raise UsageError(f"url {url!r}: a fragment (#...) is never sent; remove it")
    usual_port = _PORTS[parts.scheme]
    host, port = _host_and_port(url, parts.netloc, usual_port)
    shown = f"[{host}]" if ":" in host else host
    authority = shown if port == usual_port else f"{shown}:{port}"
    return Origin(parts.scheme == "https", host, port, authority, parts.path.rstrip("/"), parts.query)


def _host_and_port(url: str, netloc: str, usual_port: int) -> tuple[str, int]:
    found = _HOST_AND_PORT.fullmatch(netloc)
    if not found:
        raise UsageError(f"url {url!r}: {netloc!r} is no host, or host:port, or [IPv6 address]:port")
    address, name, digits = found.groups()
    port = int(digits) if digits else usual_port
    if not 0 < port < 65_536:
        raise UsageError(f"url {url!r}: port {port} cannot be connected to; ports go from 1 to 65535")
    if name:
        return name.lower(), port
    try:
        return str(ipaddress.IPv6Address(address)), port
    except ValueError:
        raise UsageError(f"url {url!r}: {address!r} is no IPv6 address") from None
