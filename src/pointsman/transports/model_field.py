"""Byte surgery: puts another `model` into a JSON request and leaves every other byte as its sender wrote it.

A re-encoded body would no longer be the sender's: key order, number forms and unknown fields are theirs, and
signatures may cover them. So this finds where the top-level `model` stands, in front of, between or behind all else,
also where its key is written with escapes or stands twice (readers differ in which one they take: each is replaced).

msgspec checks the body and says whether there is a `model`; what it refuses and others read is looked at again. Where
the bytes `"model"` stand only once, that is the place. Where they stand more often (a tool has a parameter of that
name), the object is read pair by pair, and the time for that is bounded.
"""

from __future__ import annotations

import re

import msgspec

from pointsman.transports.work import decode_lenient, encode_json

MAX_STEPS = 200_000
"""Brackets and strings read one by one before giving up: a tenth of a second, a hundred times an honest request."""

_ABSENT = msgspec.Raw()


class _Top(msgspec.Struct):
    model: msgspec.Raw = _ABSENT


_decoder = msgspec.json.Decoder(_Top)
_KEY = b'"model"'
_ESCAPED_LETTER = b"\\u006"  # how a JSON string may write a letter of the key
_SPACE = re.compile(rb"[ \t\n\r]*")
_COLON = re.compile(rb"[ \t\n\r]*:[ \t\n\r]*")
# Possessive: a string of a million escapes takes no memory.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SCALAR = re.compile(rb"[a-z0-9.E+-]+")
# Five times as fast over an image of many megabytes; what ends in a backslash and a quote has not ended.
_PLAIN_STRING = re.compile(rb'"[^"]*+"')
_BRACKETS_AND_STRINGS = re.compile(rb"[{}\[\]]|" + _PLAIN_STRING.pattern)
_OPENING, _CLOSING = frozenset(b"{["), frozenset(b"}]")
_QUOTE, _BACKSLASH = b'"\\'


def replace_model(body: bytes, model: str) -> bytes:
    """Return `body` with its top-level `model` replaced, or added in front if it has none.

    Args:
        body: a JSON object in UTF-8.
        model: the name to put in.

    Raises:
        ValueError: the body is no JSON object, or so broken up that finding the place would take too long.
    """
    name = encode_json(model)
    try:
        value = _decoder.decode(body).model
    except (ValueError, RecursionError, msgspec.DecodeError) as error:
        return _replace_in_strange(body, name, error)
    if value is _ABSENT:
        return _insert(body, name)
    # Backwards is three times as fast as forwards where there is much to search and nothing to find.
    at = body.rfind(_KEY)
    if body.find(_KEY) == at and body.rfind(_ESCAPED_LETTER) < 0:
        start = _end(_COLON, body, at + len(_KEY))
        return b"".join((body[:start], name, body[start + len(bytes(value)) :]))
    return _replace_each(body, name)


def _replace_in_strange(body: bytes, name: bytes, error: Exception) -> bytes:
    """Do the same for JSON that msgspec refuses and others take: half a surrogate pair, written as an escape."""
    try:
        value = decode_lenient(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ValueError(f"the request is no JSON object: {error}") from None
    return _replace_each(body, name) if "model" in value else _insert(body, name)


def _replace_each(body: bytes, name: bytes) -> bytes:
    parts: list[bytes] = []
    end = 0
    for start, stop in _spans(body):
        parts += (body[end:start], name)
        end = stop
    parts.append(body[end:])
    return b"".join(parts)


def _insert(body: bytes, name: bytes) -> bytes:
    opening = body.index(b"{") + 1
    rest = body[opening:]
    comma = b"" if rest.lstrip(b" \t\n\r").startswith(b"}") else b","
    return b"".join((body[:opening], _KEY, b":", name, comma, rest))


def _spans(body: bytes) -> list[tuple[int, int]]:
    """Return start and end of the value of each top-level `model` of a valid JSON object that has one."""
    spans: list[tuple[int, int]] = []
    at = body.index(b"{") + 1
    steps = 0
    while True:
        key_start = _end(_SPACE, body, at)
        key_end = _string_end(body, key_start)
        key = body[key_start:key_end]
        start = _end(_COLON, body, key_end)
        stop, steps = _value_end(body, start, steps + 1)
        if key == _KEY or (b"\\" in key and decode_lenient(key) == "model"):
            spans.append((start, stop))
        at = _end(_SPACE, body, stop)
        if body[at] in _CLOSING:
            return spans
        at += 1


def _value_end(body: bytes, start: int, steps: int) -> tuple[int, int]:
    """Return where the value that begins at `start` ends, and the steps taken so far."""
    if body[start] not in _OPENING:
        _check(steps)
        return _string_end(body, start) if body[start] == _QUOTE else _end(_SCALAR, body, start), steps
    depth = 0
    at: int | None = start
    while at is not None:
        tokens = _BRACKETS_AND_STRINGS.finditer(body, at)
        at = None
        for token in tokens:
            steps += 1
            _check(steps)
            byte = body[token.start()]
            if byte in _OPENING:
                depth += 1
            elif byte in _CLOSING:
                depth -= 1
                if not depth:
                    return token.end(), steps
            elif body[token.end() - 2] == _BACKSLASH:
                at = _end(_STRING, body, token.start())
                break
    raise ValueError("the request is no JSON object: a bracket is not closed")


def _string_end(body: bytes, start: int) -> int:
    found = _PLAIN_STRING.match(body, start)
    if found is None or body[found.end() - 2] == _BACKSLASH:
        return _end(_STRING, body, start)
    return found.end()


def _end(pattern: re.Pattern[bytes], body: bytes, start: int) -> int:
    found = pattern.match(body, start)
    if found is None:
        raise ValueError(f"the request is no JSON object: something else was expected at byte {start}")
    return found.end()


def _check(steps: int) -> None:
    if steps > MAX_STEPS:
        raise ValueError(f"the request has more than {MAX_STEPS} nested values and strings, and `model` more than once")
