"""Knows the head of the last request on a connection when it comes again, so that it need not be read again.

Clients send the same lines with each request, but for the length of the body. A request counts as a repetition only
where its head is the same byte for byte but for the digits of `content-length`, and where it has come whole, with
nothing behind it: then it means what llhttp said the first time, and llhttp, which stands between two requests, need
not see it. Everything else is read as if nothing were known.

No I/O and no state of the parser; `request_reader` decides when to ask.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from pointsman.http.channel import Fields, Memo

LARGEST_BYTES: Final = 4_096
"""A head longer than this is not remembered: a connection that rests should hold little."""

_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
_NAME: Final = b"content-length"
_DIFFERENT: Final = frozenset({b"transfer-encoding", b"expect", b"upgrade", b"connection"})
"""Headers that decide about more than one request, or about more than bytes and their number."""

_USUAL: Final = frozenset({b"keep-alive", b"Keep-Alive"})


class Head(NamedTuple):
    """What a head says: method, path, query, headers in their order and by name, and what was worked out of them."""

    method: str
    path: str
    query: bytes
    headers: Fields
    fields: Mapping[bytes, bytes]
    memo: Memo


class SameHead:
    """A head that may come again.

    Args:
        before: its bytes up to the length of the body.
        length: the digits of that.
        after: its bytes behind them, the empty line included.
        head: what it says.
    """

    __slots__ = ("_after", "_before", "_head", "_length")

    def __init__(self, before: bytes, length: bytes, after: bytes, head: Head) -> None:
        self._before = before
        self._length = length
        self._after = after
        self._head = head

    def match(self, data: bytes) -> tuple[Head, bytes] | None:
        """Return head and body if `data` is one whole request with this head, else None."""
        before, after = self._before, self._after
        if not data.startswith(before):
            return None
        start = len(before)
        length = self._length
        end = start + len(length)
        head = self._head
        if not data.startswith(length, start) or not data.startswith(after, end):
            end = data.find(b"\r", start, start + 19)
            length = data[start:end]
            if end < 0 or not length.isdigit() or not data.startswith(after, end):
                return None
            head = _with_length(head, length)
        body = end + len(after)
        return (head, data[body:]) if len(data) - body == int(length) else None


def remember(data: bytes, head: Head) -> SameHead | None:
    """Return what is to be known of a request that came whole and alone; None if it is not one to be repeated.

    Args:
        data: the whole request.
        head: what llhttp, and the checks behind it, made of its head.
    """
    fields = head.fields
    if len(fields) != len(head.headers):
        return None
    if not _DIFFERENT.isdisjoint(fields) and (
        fields.get(b"connection") not in _USUAL or len(_DIFFERENT.intersection(fields)) > 1
    ):
        return None
    end = data.find(b"\r\n\r\n") + 4
    found = _LENGTH.search(data, 0, end)
    if not 4 <= end <= LARGEST_BYTES or found is None or len(data) - end != int(found[1]):
        return None
    return SameHead(data[: found.start(1)], found[1], data[found.end(1) : end], head)


def _with_length(head: Head, length: bytes) -> Head:
    headers = [(name, length if name == _NAME else value) for name, value in head.headers]
    return head._replace(headers=headers, fields=dict(headers))
