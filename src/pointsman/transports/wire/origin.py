"""Takes a worker's URL apart, once, and refuses what could send requests astray.

Refused by name: other schemes, user names and passwords (they would end up in logs; `auth` exists), fragments, white
space, characters that need percent-encoding. Nothing here asks the environment for a proxy.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from pointsman.model.errors import UsageError

_PORTS = {"http": 80, "https": 443}
_VISIBLE = re.compile(r"[!-~]+")
_HOST_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}")


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
        port = parts.port
    except ValueError as error:
        raise UsageError(f"url {url!r}: {error}") from None
    if parts.scheme not in _PORTS:
        raise UsageError(f"url {url!r}: expected http:// or https://")
    if "@" in parts.netloc:
        raise UsageError(f"url for {parts.hostname}: a user or password in it would be logged; use `auth`")
    if parts.fragment:
        raise UsageError(f"url {url!r}: a fragment (#...) is never sent; remove it")
    host = _host(url, parts)
    if port == 0:
        raise UsageError(f"url {url!r}: port 0 cannot be connected to")
    port = port or _PORTS[parts.scheme]
    shown = f"[{host}]" if ":" in host else host
    authority = shown if port == _PORTS[parts.scheme] else f"{shown}:{port}"
    return Origin(parts.scheme == "https", host, port, authority, parts.path.rstrip("/"), parts.query)


def _host(url: str, parts: SplitResult) -> str:
    host = parts.hostname or ""
    if "[" in parts.netloc:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            raise UsageError(f"url {url!r}: {host!r} is no IPv6 address") from None
    if not _HOST_NAME.fullmatch(host):
        raise UsageError(f"url {url!r}: {host!r} is no host name")
    return host
