"""Where a worker may be that joins by API: not where only this machine's infrastructure is.

The API can be reached by whoever can send it a request; the settings file is trusted, and may name any
address. Refused are addresses of a private network, of the link (cloud metadata lives there), and what is no
unicast address; also where they are wrapped in IPv6 (mapped, NAT64, 6to4), since `ipaddress` takes those for
global. Loopback passes as long as the service itself listens nowhere else; others must not reach through us what
only this machine may. Names are not resolved here: what a
name leads to may change between a check and the connection.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_VISIBLE: Final = re.compile(r"[!-~]{1,2048}")
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_NUMERIC: Final = re.compile(r"(?:0[xX][0-9A-Fa-f]*|[0-9]+)")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_LOOPBACK: Final = "{} is this machine itself; where others reach the router, such workers belong in the settings file"
_METADATA_NAMES: Final = frozenset({"metadata", "metadata.google.internal", "instance-data"})


def wrong_url(url: str) -> str:
    """Return what is wrong with the form of a worker's URL, or an empty string."""
    expected = "expected http://HOST[:PORT][/PATH] or https://..."
    if not _VISIBLE.fullmatch(url):
        return f"got characters that a URL cannot hold, or more than 2048; {expected}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return f"got something that is no URL; {expected}"
    if parts.scheme not in {"http", "https"} or port == 0:
        return expected
    if "@" in parts.netloc:
        return "got a user or password, which would end up in logs; expected none"
    name = host.removesuffix(".")
    if _literal(host) is None and (not _NAME.fullmatch(name) or _NUMERIC.fullmatch(name.rpartition(".")[2])):
        return f"got a host that is neither a name nor an address in its usual form; {expected}"
    return ""


def is_loopback(listen: str) -> bool:
    """Whether only this machine reaches a service that listens on `listen`, ADDRESS:PORT."""
    host = listen.rpartition(":")[0].strip("[]").lower()
    address = _literal(host)
    return host == "localhost" if address is None else address.is_loopback


def forbidden_host(url: str, *, is_local: bool) -> str:
    """Return why a worker may not be at this URL (whose form is right), or an empty string.

    Args:
        url: of the worker.
        is_local: whoever asks is on this machine, so that its loopback is nothing new to them.
    """
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    if host in _METADATA_NAMES:
        return f"{host} is where this machine's cloud keeps its credentials"
    if not is_local and (host == "localhost" or host.endswith(".localhost")):
        return _LOOPBACK.format(host)
    address = _literal(host)
    if address is None:
        return ""
    meant = _wrapped(address) or address
    if meant.is_loopback:
        return "" if is_local else _LOOPBACK.format(host)
    if meant.is_link_local:
        return f"{host} is an address of the link, where cloud credentials live"
    if meant.is_multicast or not meant.is_global:
        return f"{host} is no public address; workers in a private network belong into the settings file"
    return ""


def _literal(host: str) -> Address | None:
    try:
        return None if "%" in host else ipaddress.ip_address(host)
    except ValueError:
        return None


def _wrapped(address: Address) -> ipaddress.IPv4Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
