"""Byte surgery: puts another `model` into a JSON request and leaves every other byte as its sender wrote it.

A re-encoded body would no longer be the sender's: key order, number forms and unknown fields are theirs, and
signatures may cover them. So this finds where the top-level `model` stands, in front of, between or behind all else,
also where its key is written with escapes or stands twice (readers differ in which one they take: each is replaced).

The surface has parsed the body before. What this reads it reads strictly, but it stops where nothing more can be found:
behind the first `model`, unless the rest may hold another. Only brackets and strings cost a step; long strings and
numbers are passed at the speed of `re`, by patterns that cannot backtrack.
"""

from __future__ import annotations

import re

from pointsman.transports.work import decode_json, encode_json

MAX_STEPS = 200_000
"""Brackets and strings read before giving up: about 50 ms of work, a hundred times what honest requests need."""

_SPACE = re.compile(rb"[ \t\n\r]*")
_IN_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*){0,256}', re.DOTALL)
_IN_NESTED = re.compile(rb'[^"{}\[\]]*')
_SCALAR = re.compile(rb"-?[0-9][0-9.eE+-]*|true|false|null")
_KEY = b'"model"'
_ESCAPED_LETTER = b"\\u00"  # how a JSON string may write any letter of the key


def replace_model(body: bytes, model: str) -> bytes:
    """Return `body` with its top-level `model` replaced, or added in front if it has none.

    Args:
        body: a JSON object in UTF-8.
        model: the name to put in.

    Raises:
        ValueError: the body is no JSON object, or so deeply broken up that finding the place would take too long.
    """
    name = encode_json(model)
    spans = _Scan(body).model_spans()
    if not spans:
        return _insert(body, name)
    parts: list[bytes] = []
    end = 0
    for start, stop in spans:
        parts += (body[end:start], name)
        end = stop
    parts.append(body[end:])
    return b"".join(parts)


def _insert(body: bytes, name: bytes) -> bytes:
    opening = body.index(b"{") + 1
    rest = body[opening:]
    empty = rest.strip(b" \t\n\r") == b"}"
    return b"".join((body[:opening], _KEY, b":", name, b"" if empty else b",", rest))


def _may_hold_key(body: bytes, start: int) -> bool:
    return body.find(_KEY, start) >= 0 or body.find(_ESCAPED_LETTER, start) >= 0


class _Scan:
    """One reading of one body, from left to right."""

    __slots__ = ("_at", "_body", "_steps")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0
        self._steps = 0

    def model_spans(self) -> list[tuple[int, int]]:
        """Return start and end of the value of each top-level `model`."""
        self._expect(b"{")
        if not self._body.rstrip(b" \t\n\r").endswith(b"}"):
            raise self._wrong("the closing } at its end")
        spans: list[tuple[int, int]] = []
        if not _may_hold_key(self._body, self._at) or self._found(b"}"):
            return spans
        while True:
            key = self._string()
            self._expect(b":")
            self._skip_space()
            start = self._at
            self._value()
            if key == _KEY or (b"\\" in key and decode_json(key) == "model"):
                spans.append((start, self._at))
                if not _may_hold_key(self._body, self._at):
                    return spans
            if self._found(b"}"):
                return spans
            self._expect(b",")
            self._skip_space()

    def _value(self) -> None:
        first = self._next()
        if first == b'"':
            self._string()
        elif first in (b"{", b"["):
            self._nested()
        elif scalar := _SCALAR.match(self._body, self._at):
            self._at = scalar.end()
        else:
            raise self._wrong("a value")

    def _nested(self) -> None:
        """Pass an object or array by counting brackets; the worker judges what is inside."""
        depth = 0
        while True:
            self._at = _IN_NESTED.match(self._body, self._at).end()  # type: ignore[union-attr]  # matches anything
            byte = self._next()
            if byte == b'"':
                self._string()
                continue
            if not byte:
                raise self._wrong("a closing bracket")
            self._step()
            self._at += 1
            depth += 1 if byte in (b"{", b"[") else -1
            if not depth:
                return

    def _string(self) -> bytes:
        """Pass a string and return it, quotes and all."""
        start = self._at
        if self._next() != b'"':
            raise self._wrong("a string")
        self._at += 1
        while True:
            self._step()
            self._at = _IN_STRING.match(self._body, self._at).end()  # type: ignore[union-attr]  # matches anything
            byte = self._next()
            if byte == b'"':
                self._at += 1
                return self._body[start : self._at]
            if byte != b"\\" or self._at + 1 >= len(self._body):
                raise self._wrong("the end of a string")

    def _next(self) -> bytes:
        return self._body[self._at : self._at + 1]

    def _found(self, byte: bytes) -> bool:
        self._skip_space()
        return self._next() == byte

    def _expect(self, byte: bytes) -> None:
        if not self._found(byte):
            raise self._wrong(byte.decode())
        self._at += 1

    def _skip_space(self) -> None:
        self._at = _SPACE.match(self._body, self._at).end()  # type: ignore[union-attr]  # matches anything

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise ValueError(f"the request has more than {MAX_STEPS} nested values and strings in front of its `model`")

    def _wrong(self, expected: str) -> ValueError:
        return ValueError(f"the request is no JSON object: at byte {self._at}, expected {expected}")
