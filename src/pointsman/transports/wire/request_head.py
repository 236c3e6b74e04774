"""Writes the head of a request, and lets nothing in it end a line early.

`host`, `content-length` and `connection` are ours; a caller who names one of these, or a header that changes how a
message is framed, is wrong and told so. Source: RFC 9110 (5.5, 8.6), RFC 9112 (3, 6).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from pointsman.model.errors import UsageError

Headers = Sequence[tuple[str, str]]

OURS = frozenset({
    "host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect",
    "proxy-authorization", "proxy-connection",
})  # fmt: skip
"""Headers that a caller may not set, lower case."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_START = re.compile(r"[A-Z]+ (?:http://[!-~]+)?/[!-~]* HTTP")
_IN_LINES = bytes([9, *range(0x20, 0x7F), *range(0x80, 0x100)])  # what may stand in a line, RFC 9110, 5.5
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_REMEMBERED_CHARS = 128


def encode_head(
    method: str,
    target: str,
    authority: str,
    headers: Headers,
    body_bytes: int,
    proxy_authorization: str | None = None,
    lines: bytes = b"",
) -> bytes:
    """Return the head of a request, with the empty line that ends it.

    Args:
        method: upper case.
        target: path and query, beginning with `/`; for a proxy the whole URL.
        authority: value of the Host header.
        headers: names and values to add, in this order.
        body_bytes: length of the body.
        proxy_authorization: value of that header; from `proxy.parse_proxy`, printable ASCII.
        lines: further headers that were encoded before, by `encode_lines`; they stand in front of `headers`.

    Raises:
        UsageError: something in it would not survive as one line, or a header is not the caller's to set. The value is
            not repeated in the text: it may be a secret.
    """
    start = (_known_start if len(target) <= _REMEMBERED_CHARS else _start)(method, target, authority)
    if proxy_authorization is not None:
        start += f"proxy-authorization: {proxy_authorization}\r\n".encode("latin-1")
    own = encode_lines(headers) if headers else b""
    if body_bytes or method in _METHODS_WITH_BODY:
        return b"%b%b%bcontent-length: %d\r\n\r\n" % (start, lines, own, body_bytes)
    return b"%b%b%b\r\n" % (start, lines, own)


def encode_lines(headers: Headers) -> bytes:
    """Return headers as lines, the end of the last one included.

    Raises:
        UsageError: as `encode_head`.
    """
    lines: list[str] = []
    for name, value in headers:
        (_check_known_name if len(name) <= _REMEMBERED_CHARS else _check_name)(name)
        lines.append(f"{name}: {value}\r\n")
    try:
        encoded = "".join(lines).encode("latin-1")
    except UnicodeEncodeError:
        raise _bad_value(headers) from None
    # One pass over all: what is left must be the ends of our lines, one for each, and nothing else.
    if encoded.translate(None, _IN_LINES) != b"\r\n" * len(lines):
        raise _bad_value(headers)
    return encoded


def _start(method: str, target: str, authority: str) -> bytes:
    start = f"{method} {target} HTTP/1.1\r\nhost: {authority}\r\n"
    encoded = start.encode("latin-1", "replace")
    if not _START.match(start) or encoded.translate(None, _IN_LINES) != b"\r\n" * 2:
        raise UsageError(f"no request can begin with {method!r} {target!r}")
    return encoded


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise _bad_header(name)
    if name.lower() in OURS:
        raise UsageError(f"header {name!r} is set by the client itself")


# The same few come with every request. What is long is the client's own invention and not worth keeping.
_known_start = lru_cache(maxsize=256)(_start)
_check_known_name = lru_cache(maxsize=1024)(_check_name)


def _bad_value(headers: Headers) -> UsageError:
    """Return the error that names the header at fault."""
    for name, value in headers:
        try:
            left = value.encode("latin-1").translate(None, _IN_LINES)
        except UnicodeEncodeError:
            left = b"?"
        if left:
            return _bad_header(name)
    raise AssertionError("a start line and names that were checked hold no line end")


def _bad_header(name: str) -> UsageError:
    return UsageError(f"header {name!r}: its name or value has a character that HTTP does not allow")
