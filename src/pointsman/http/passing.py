"""Which headers pass through the compatible APIs: a client's to the worker, and a worker's to the client.

Everything passes but what belongs to one connection (RFC 9110, 7.6.1), what only we may say, what holds a key, and what
would tell a provider about the machines in front of us.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

_CONNECTION: Final = frozenset(
    {
        "connection",
        "content-length",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers of one connection, either way."""

_NOT_IN: Final = _CONNECTION | {
    "accept-encoding",
    "authorization",
    "content-encoding",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "origin",
    "referer",
    "traceparent",
    "tracestate",
    "via",
    "x-api-key",
    "x-real-ip",
}
"""A client's headers that do not reach the worker: we send our own instead, or none."""

_NOT_OUT: Final = _CONNECTION | {"content-type", "date", "server", "set-cookie", "alt-svc", "strict-transport-security"}
"""A worker's headers that do not reach the client: ours, or about the worker's host, which the client never met."""

_OURS: Final = ("x-pointsman-", "x-forwarded-", "sec-")
_NAME: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_VALUE: Final = re.compile(r"[ -~\t\x80-\xff]{0,65536}")
_USUAL: Final = frozenset({b"keep-alive", b"close", b"Keep-Alive"})


@lru_cache(maxsize=1024)
def _name_in(name: bytes) -> str:
    """Return a client's header name as text, or an empty string where it does not pass."""
    text = name.decode("latin-1")
    if text in _NOT_IN or text.startswith(_OURS) or not _NAME.fullmatch(text):
        return ""
    return text


@lru_cache(maxsize=1024)
def _name_out(name: str) -> bytes:
    """Return a worker's header name as bytes, or none where it does not pass."""
    lower = name.lower()
    if lower in _NOT_OUT or lower.startswith("x-pointsman-") or not _NAME.fullmatch(lower):
        return b""
    return lower.encode()


def inward(fields: Iterable[tuple[bytes, bytes]], connection: bytes | None = None) -> tuple[tuple[str, str], ...]:
    """Return what passes of a client's headers, whose names are in lower case.

    Args:
        fields: the headers.
        connection: the value of its Connection header, which may name more that belong to the connection.
    """
    if connection is not None and connection not in _USUAL:
        named = {name.strip().lower() for name in connection.split(b",")}
        fields = [field for field in fields if field[0] not in named]
    return tuple([(text, value.decode("latin-1")) for name, value in fields if (text := _name_in(name))])


def outward(fields: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Return what passes of a worker's headers but for its content-type; what could not be written in one is left."""
    return [
        (known, value.encode("latin-1"))
        for name, value in fields
        if (known := _name_out(name)) and _VALUE.fullmatch(value)
    ]


def media(fields: Sequence[tuple[str, str]], default: bytes) -> bytes:
    """Return a worker's content-type, or the default where it has none that can be used."""
    for name, value in fields:
        if name == "content-type" or name.lower() == "content-type":
            return value.encode("latin-1") if _VALUE.fullmatch(value) else default
    return default
