"""Strict JSON in, JSON out.

Two passes over what comes in. msgspec decodes into the expected type and refuses what is no JSON (RFC 8259:
NaN, control characters, half surrogate pairs, invalid UTF-8) or not of that type. A second pass of the
standard library's scanner refuses what the first cannot see and two parsers may read differently (RFC 8259,
section 4; RFC 7493): duplicate keys and integers beyond 2^53. What a value may be (lengths, ranges, names) is
decided in `core.validate`, not here.
"""

from __future__ import annotations

import difflib
import json
import re
from typing import Any, Final, TypeVar

import msgspec

from pointsman.http.problems import RequestError, invalid
from pointsman.model.errors import RefusedError
from pointsman.model.message import Message

T = TypeVar("T")

LARGEST_INTEGER: Final = 2**53
"""Above it, JSON parsers that know only doubles read another number than we do."""

_DIGITS: Final = len(str(LARGEST_INTEGER)) + 1
_CUT: Final = 60
_BOM: Final = b"\xef\xbb\xbf"

_EXPECTED: Final = re.compile(r"Expected `(?P<expected>.+?)`(?P<bound>.*?), got `(?P<got>.+?)`")
_AT: Final = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(?P<name>.*)`", re.DOTALL)
_WORDS: Final = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "an array",
    "null": "null",
}


class _Suspect(Exception):
    """Leaves the second pass as soon as something is wrong; what and where is found out by another pass."""


class _Marked:
    """Stands in the place of a value that is refused, so that a walk finds its path."""

    def __init__(self, detail: str) -> None:
        self.detail = detail


def _pairs(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) > 1 and len(dict(pairs)) != len(pairs):
        raise _Suspect


def _integer(digits: str) -> int:
    if len(digits) >= _DIGITS - 1 and (len(digits) > _DIGITS or abs(int(digits)) > LARGEST_INTEGER):
        raise _Suspect
    return 0


def _mark_pairs(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        return _Marked(f"key {shorten(twice)} stands more than once; expected each key once")
    return found


def _mark_integer(digits: str) -> Any:
    try:
        _integer(digits)
    except _Suspect:
        return _Marked(
            f"got the integer {digits[:24]}{'...' if len(digits) > 24 else ''}, expected at most 2^53 either way:"
            " beyond it programs read different numbers; send it as a string"
        )
    return int(digits)


_KEYS_AND_INTEGERS: Final = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=_integer)
_KEYS: Final = json.JSONDecoder(object_pairs_hook=_pairs)
_MARK_ALL: Final = json.JSONDecoder(object_pairs_hook=_mark_pairs, parse_int=_mark_integer)
_MARK_KEYS: Final = json.JSONDecoder(object_pairs_hook=_mark_pairs)
_MESSAGE: Final = msgspec.json.Decoder(Message)


def message(body: bytes) -> Message:
    """Return the message that a body of the native API holds.

    Raises:
        RefusedError: `invalid`, naming field, what was got and what is expected.
    """
    return strict(body, _MESSAGE)


def strict(body: bytes, decoder: msgspec.json.Decoder[T], *, big_integers: bool = False) -> T:
    """Decode a body into the decoder's type.

    Args:
        body: UTF-8 JSON without a byte order mark.
        decoder: of the expected type.
        big_integers: let integers beyond 2^53 pass, for bodies that a worker reads in our place.

    Raises:
        RefusedError: `invalid`, as `message`.
    """
    try:
        value = decoder.decode(body)
        (_KEYS if big_integers else _KEYS_AND_INTEGERS).decode(body.decode())
    except msgspec.ValidationError as error:
        raise _mistyped(str(error), decoder.type) from None
    except _Suspect:
        raise _ambiguous(body, _MARK_KEYS if big_integers else _MARK_ALL) from None
    except RecursionError:
        raise invalid("malformed JSON: nested too deep to be read") from None
    except ValueError as error:
        raise _malformed(body, str(error)) from None
    return value


def lenient(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode what we read of a body that a worker reads in our place: it is the one who judges the rest.

    Keys that stand twice, large numbers and halves of surrogate pairs pass.

    Raises:
        RefusedError: `invalid`, as `message`.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _mistyped(str(error), decoder.type) from None
    except RecursionError:
        raise invalid("malformed JSON: nested too deep to be read") from None
    except ValueError as error:
        return _convert(body, decoder, str(error))


def _convert(body: bytes, decoder: msgspec.json.Decoder[T], reason: str) -> T:
    """Read with a parser that takes more; slower, and needed for strange bodies only."""
    try:
        found: T = msgspec.convert(json.loads(body.decode("utf-8")), decoder.type)
        return found
    except msgspec.ValidationError as error:
        raise _mistyped(str(error), decoder.type) from None
    except RecursionError:
        raise invalid("malformed JSON: nested too deep to be read") from None
    except ValueError:
        raise _malformed(body, reason) from None


def _mistyped(text: str, expected_type: Any) -> RefusedError:
    at = _AT.match(text)
    what, path = (at["what"], at["path"] or "") if at else (text, "")
    path = path.lstrip(".")
    if unknown := _UNKNOWN.match(what):
        field = f"{path}.{unknown['name']}" if path else unknown["name"]
        return invalid(
            f"unknown field {shorten(field)}{'' if path else _known(unknown['name'], expected_type)}", field[:_CUT]
        )
    if missing := _MISSING.match(what):
        field = f"{path}.{missing['name']}" if path else missing["name"]
        return invalid(f"{field}: missing, expected a value", field[:_CUT])
    where = path or "the body"
    if expected := _EXPECTED.match(what):
        bound = expected["bound"].strip()
        wanted = _word(expected["expected"]) + (f" {bound}" if bound else "")
        return invalid(f"{where}: got {_word(expected['got'])}, expected {wanted}", path[:_CUT])
    return invalid(f"{where}: {what[:1].lower()}{what[1:]}".replace("`", ""), path[:_CUT])


def _word(types: str) -> str:
    names = [name for name in types.split(" | ") if name != "null"] or ["null"]
    return " or ".join(_WORDS.get(name, name) for name in names)


def _known(name: str, expected_type: Any) -> str:
    names = getattr(expected_type, "__struct_encode_fields__", ())
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(names)}" if names else ""


def _ambiguous(body: bytes, decoder: json.JSONDecoder) -> RefusedError:
    path, marked = _find(decoder.decode(body.decode()), "")
    where = path or "the body"
    return invalid(f"{where}: {marked.detail}", path[:_CUT])


def _find(value: Any, path: str) -> tuple[str, _Marked]:
    """Return a marked value and its path; there is one somewhere below `value`."""
    waiting = [(value, path)]
    while waiting:
        value, path = waiting.pop()
        if isinstance(value, _Marked):
            return path, value
        if isinstance(value, dict):
            waiting.extend((inner, f"{path}.{name[:_CUT]}" if path else name[:_CUT]) for name, inner in value.items())
        elif isinstance(value, list):
            waiting.extend((inner, f"{path}[{position}]") for position, inner in enumerate(value))
    raise ValueError("nothing is marked")


def _malformed(body: bytes, reason: str) -> RefusedError:
    """Say in words where a body stops being JSON; msgspec's own words are kept where we know no better."""
    if not body.strip():
        return invalid("the body is empty, expected a JSON object")
    if body.startswith(_BOM):
        return invalid("malformed JSON: it begins with a byte order mark, expected plain UTF-8 without one")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        return invalid(f"malformed JSON: byte {error.start} is no valid UTF-8")
    try:
        json.loads(text, parse_constant=_constant, parse_int=len)
    except json.JSONDecodeError as error:
        return invalid(f"malformed JSON: line {error.lineno}, column {error.colno}: {error.msg}")
    except RecursionError:
        return invalid("malformed JSON: nested too deep to be read")
    except ValueError as error:
        return invalid(f"malformed JSON: {error}")
    if "\\u" in text:
        return invalid("malformed JSON: a \\u escape is half of a surrogate pair, which is no character")
    return invalid(f"malformed JSON: {reason}")


def _constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def shorten(text: str) -> str:
    """Return a text of a sender as it may be shown: quoted, nothing unprintable in it, at most 60 characters."""
    return repr(text if len(text) <= _CUT else text[:_CUT] + "...")


def encode(value: Any) -> bytes:
    """Return a value of our own as JSON."""
    return msgspec.json.encode(value)


def encode_reply(value: Any) -> msgspec.Raw:
    """Return what a worker answered as JSON, in one line.

    Raises:
        RequestError: `worker_garbage`: a worker in this process answered something that is no JSON value.
    """
    try:
        return msgspec.Raw(msgspec.json.encode(value))
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.EncodeError) as error:
        raise RequestError("worker_garbage", f"the worker's reply cannot be written as JSON: {error}") from None
