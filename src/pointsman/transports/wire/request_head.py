"""Writes the head of a request, and lets nothing in it end a line early.

`host`, `content-length` and `connection` are ours; a caller who names one of these, or a header that changes how a
message is framed, is wrong and told so. Source: RFC 9110 (5.5, 8.6), RFC 9112 (3, 6).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pointsman.model.errors import UsageError

Headers = Sequence[tuple[str, str]]

OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect"}
)
"""Headers that a caller may not set, lower case."""

_LINE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*")
_START = re.compile(r"[A-Z]+ /[!-~]* HTTP")
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def encode_head(method: str, target: str, authority: str, headers: Headers, body_bytes: int) -> bytes:
    """Return the head of a request, with the empty line that ends it.

    Args:
        method: upper case.
        target: path and query, beginning with `/`.
        authority: value of the Host header.
        headers: names and values to add, in this order.
        body_bytes: length of the body.

    Raises:
        UsageError: something in it would not survive as one line, or a header is not the caller's to set. The value is
            not repeated in the text: it may be a secret.
    """
    start = f"{method} {target} HTTP/1.1\r\nhost: {authority}\r\n"
    if not _START.match(start):
        raise UsageError(f"no request can begin with {method!r} {target!r}")
    lines = [start]
    for name, value in headers:
        line = f"{name}: {value}"
        if not _LINE.fullmatch(line):
            raise UsageError(f"header {name!r}: its name or value has a character that HTTP does not allow")
        if name.lower() in OURS:
            raise UsageError(f"header {name!r} is set by the client itself")
        lines.append(line + "\r\n")
    if body_bytes or method in _METHODS_WITH_BODY:
        lines.append(f"content-length: {body_bytes}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("latin-1")
