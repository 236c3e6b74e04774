"""Bounds of the data that passes through us untouched: `metadata`, `params`, and what else chat messages carry.

Decides what data every JSON reader on the way understands alike: plain types, integers within 2^53 (RFC 8259, 6),
finite numbers, whole characters, limited depth and number of values. Walks with a list of its own instead of the
call stack, and counts what it visits, so that no nesting, cycle or shared branch of an object built in process can
stop or slow it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

MAX_INTEGER: Final = 2**53
"""Beyond it, readers that hold numbers as doubles (JavaScript, many others) see another number."""

_SHOWN: Final = 40
_CONSTANTS: Final = {None: "null", True: "true", False: "false"}
_KINDS: Final = {int: "an integer beyond 2^53", list: "a list", dict: "an object"}


def check_data(value: Any, max_keys: int, max_depth: int, max_bytes: int) -> str:
    """Return what is wrong with `metadata` or `params`, as a sentence, or an empty string.

    Args:
        value: whatever stands in the field.
        max_keys: keys at the top.
        max_depth: nesting; the object itself is 1.
        max_bytes: size as JSON.
    """
    if not isinstance(value, dict):
        return f"got {show(value)}, expected an object"
    if not value:
        return ""
    if len(value) > max_keys:
        return f"got {len(value)} keys, expected at most {max_keys}"
    wrong = check_tree(value, max_depth, max_bytes)
    if wrong:
        return wrong
    size = len(msgspec.json.encode(value))
    return f"got {size} bytes as JSON, expected at most {max_bytes}" if size > max_bytes else ""


def check_tree(value: Any, max_depth: int, max_values: int) -> str:
    """Return what keeps a value from being passed on as JSON, as a sentence, or an empty string.

    Args:
        value: anything; cycles are found as depth.
        max_depth: nesting of objects and lists.
        max_values: keys and values visited before it counts as too large.
    """
    level: list[Any] = [value]
    visited = 0
    for depth in range(max_depth + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict | list | tuple):
                visited += len(item)
                if depth == max_depth:
                    return f"got objects or lists nested deeper than {max_depth}"
                if visited > max_values:
                    return f"got more than {max_values} values"
                below += item.values() if isinstance(item, dict) else item
                wrong = _check_keys(item) if isinstance(item, dict) else ""
            else:
                wrong = _check_leaf(item)
            if wrong:
                return wrong
        if not below:
            break
        level = below
    return ""


def _check_keys(item: dict[Any, Any]) -> str:
    for key in item:
        if not isinstance(key, str):
            return f"got {show(key)} as a key, expected a string"
        if not key.isascii() and (wrong := _check_characters(key)):
            return wrong
    return ""


def _check_leaf(item: Any) -> str:
    """What keeps a value without children from being passed on. Subclasses of plain types have no agreed JSON."""
    kind = type(item)
    if kind is str:
        return "" if item.isascii() else _check_characters(item)
    if item is None or kind is bool:
        return ""
    if kind is int:
        return "" if -MAX_INTEGER <= item <= MAX_INTEGER else "got an integer beyond 2^53: send it as a string"
    if kind is float:
        return "" if abs(item) < float("inf") else f"got {item!r}, which is no JSON: expected a finite number"
    return f"got {show(item)}, which is no JSON"


def _check_characters(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"got a lone surrogate, U+{ord(text[error.start]):04X}: it is no text"
    return ""


def show(value: Any) -> str:
    """Return a value for a message to its sender: short strings and numbers as they are, all else by its kind."""
    kind = type(value)
    if kind is str:
        return repr(value) if len(value) <= _SHOWN else f"{value[:_SHOWN]!r}..."
    if kind is float or (kind is int and abs(value) <= MAX_INTEGER):
        return repr(value)
    if value is None or kind is bool:
        return _CONSTANTS[value]
    return _KINDS.get(kind, f"a Python {kind.__name__}")
