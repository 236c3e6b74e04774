"""Which headers pass between a client and the old router, and how they are written: everything as it is, in its order.

What belongs to one connection does not pass, either way (RFC 9110, 7.6.1, and the two proxy fields that RFC 2616 had
beside them). Of a request Host becomes the old router's, because it is asked under its own name, and a key of ours is
replaced or left out, because it opens this router and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pointsman.core.keys import is_ours
from pointsman.model.errors import UsageError

Fields = Sequence[tuple[bytes, bytes]]

HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Headers of one connection."""

_KEY: Final = b"x-pointsman-key"
_AUTHORIZATION: Final = b"authorization"
_API_KEY: Final = b"x-api-key"
_USUAL: Final = frozenset({b"keep-alive", b"close"})

_IN_LINES: Final = bytes([9, *range(0x20, 0x7F), *range(0x80, 0x100)])


def encode(
    method: str,
    target: bytes,
    authority: bytes,
    fields: Fields,
    *,
    is_chunked: bool,
    token: Callable[[], str] | None = None,
) -> bytes:
    """Return the head of a request to the old router, its empty line included.

    Args:
        method: as it came.
        target: path and query as they came.
        authority: value of Host.
        fields: the client's headers, names in lower case; its Content-Length passes with them.
        is_chunked: the body follows in chunks.
        token: returns the key that stands in for one of ours; without it such a key is left out.

    Raises:
        UsageError: something in it holds the end of a line.
    """
    lines = [b"%b %b HTTP/1.1" % (method.encode("ascii"), target)]
    has_host, wants_key = False, False
    for name, value in passing(fields):
        if name == b"host":
            has_host = True
            lines.append(b"host: " + authority)
        elif name == _KEY:
            wants_key = True
        elif name == _AUTHORIZATION and is_ours(value):
            lines += [b"authorization: Bearer " + token().encode("latin-1")] if token else []
        elif name == _API_KEY and is_ours(value):
            lines += [b"x-api-key: " + token().encode("latin-1")] if token else []
        else:
            lines.append(b"%b: %b" % (name, value))
    if not has_host:
        lines.insert(1, b"host: " + authority)
    if wants_key and token and not any(name in {_AUTHORIZATION, _API_KEY} for name, _ in fields):
        lines.append(b"authorization: Bearer " + token().encode("latin-1"))
    if is_chunked:
        lines.append(b"transfer-encoding: chunked")
    lines += [b"", b""]
    head = b"\r\n".join(lines)
    if head.translate(None, _IN_LINES) != b"\r\n" * (len(lines) - 1):
        raise UsageError("a header of the request holds a character that HTTP does not allow")
    return head


def passing(fields: Fields) -> list[tuple[bytes, bytes]]:
    """Return the headers that pass; names are in lower case. Those that `Connection` names do not."""
    dropped = HOP_BY_HOP
    for name, value in fields:
        if name == b"connection" and value.lower() not in _USUAL:
            dropped = dropped | {one.strip().lower() for one in value.split(b",")} - _END_TO_END
    return [field for field in fields if field[0] not in dropped]


_END_TO_END: Final = frozenset({b"host", b"content-length", b"content-type", b"authorization", _API_KEY, _KEY})
"""What nobody may remove by naming it in `Connection`: it decides what a request is, or who sent it."""
