"""Single values as text: how variables and flags are read, and how values are shown in messages."""

from __future__ import annotations

import datetime
import json
import tomllib
from typing import Any

import msgspec

from pointsman.config.shape import Leaf, Shape
from pointsman.model.settings import Secret

SHOWN_CHARACTERS = 60
"""Longest text that a message about a mistake repeats."""


def parse(text: str, shape: Shape) -> Any:
    """Return the value that `text` means where a value of `shape` is wanted.

    Where text is wanted, it is the text itself (so that a model named `4` needs no quotes), unless it is
    quoted as in TOML. Elsewhere it is read as a TOML value, then as JSON; what is neither is returned as
    text, and refused later.
    """
    if isinstance(shape, Leaf) and shape.is_text:
        quoted = _toml(text)
        return quoted if isinstance(quoted, str) else text
    value = _toml(text)
    return _json(text) if value is None else value


def _toml(text: str) -> Any:
    try:
        table = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    return table["value"] if len(table) == 1 else None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def got(value: Any) -> str:
    """Return what a message says it got: short, on one line, and a container only by its kind."""
    match value:
        case str() if len(value) > SHOWN_CHARACTERS:
            return toml(value[:SHOWN_CHARACTERS]) + " and more"
        case int() if not isinstance(value, bool) and value.bit_length() > 128:
            return "a number of more than 38 digits"
        case {}:
            return "a table"
        case list():
            return "a list" if value else "an empty list"
        case None:
            return "nothing"
    return toml(value)


def toml(value: Any) -> str:
    """Return `value` as TOML writes it, on one line; None as `unset`, a secret as where it comes from."""
    match value:
        case None:
            return "unset"
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(value)
        case Secret():
            return _origin(value)
        case list() | tuple():
            return "[" + ", ".join(toml(one) for one in value) + "]"
        case dict():
            pairs = ", ".join(f"{key} = {toml(one)}" for key, one in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case msgspec.Struct():
            return toml(msgspec.structs.asdict(value))
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
    return str(value)


def _quoted(text: str) -> str:
    """Return a TOML string, which here is a JSON string; nothing in it can act on a terminal."""
    return printable(json.dumps(text, ensure_ascii=False))


def printable(text: str) -> str:
    r"""Return `text` on one line, with whatever could act on a terminal as `\uXXXX`."""
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def _origin(secret: Secret) -> str:
    """Return where a secret comes from. What cannot be a name may be the secret itself, and is not shown."""
    if secret.env is not None:
        return f"env {secret.env}" if is_variable(secret.env) else "env (not a name)"
    return f"file {secret.file}" if secret.file is not None else "unset"


def is_variable(name: str) -> bool:
    """Whether `name` can be an environment variable's: ASCII letters, digits and "_", no digit first."""
    return name.isascii() and name.isidentifier()
