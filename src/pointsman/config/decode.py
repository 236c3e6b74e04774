"""From a parsed table to `Settings`, collecting every mistake instead of stopping at the first.

A value that cannot be used is replaced by its default, or by a placeholder where it has none, so that one
mistake hides no other and causes no second. Which file and line a mistake stands on is `load`'s business.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pointsman.config.shape import Entry, Leaf, Listed, Named, Shape, Table, find, tree, walk
from pointsman.config.values import got, is_variable
from pointsman.core.consistency import contradictions
from pointsman.model.settings import Settings

PLACEHOLDER: Final = "?"
"""Stands for a required text that is missing or wrong; no valid name looks like it."""

HIDDEN: Final = "got a value that is not shown, as it may be the secret itself"

Path = tuple[str, ...]


class Mistake(msgspec.Struct, frozen=True):
    """One mistake: the dotted key it is about, what is wrong there, and who said so where that is no file."""

    key: str
    text: str
    origin: str = ""


def decode(data: Mapping[str, Any]) -> tuple[Settings, list[Mistake]]:
    """Return the settings that `data` describes, and every mistake in it.

    Where there are mistakes the settings are only good for looking at: what was wrong in them has been
    replaced.
    """
    decoding = _Decoding()
    settings = decoding.table(data, tree(), ())
    if not isinstance(settings, Settings):
        raise TypeError("the tree of settings does not begin with Settings")
    mistakes = decoding.mistakes
    known = {mistake.key for mistake in mistakes}
    for key, text in contradictions(settings):
        if key not in known and repr(PLACEHOLDER) not in text:
            mistakes.append(Mistake(key, text))
    return settings, mistakes


class _Decoding:
    """One walk over the data; holds the mistakes found so far."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def table(self, data: Mapping[str, Any], table: Table, path: Path) -> msgspec.Struct:
        for key, value in data.items():
            if key not in table.entries:
                self._wrong((*path, key), "unknown key" + suggest(key, table, path, value))
        values: dict[str, Any] = {}
        for key, entry in table.entries.items():
            if key in data:
                values[key] = self._entry(data[key], entry, (*path, key))
            elif entry.required:
                self._wrong((*path, key), f"missing, expected {entry.shape.expected}")
                values[key] = PLACEHOLDER
        if table.is_secret:
            self._secret(values, path)
        return table.cls(**values)

    def _entry(self, value: Any, entry: Entry, path: Path) -> Any:
        before = len(self.mistakes)
        decoded = self._value(value, entry.shape, path)
        if decoded is None and len(self.mistakes) > before:
            return PLACEHOLDER if entry.required else entry.default
        return decoded

    def _value(self, value: Any, shape: Shape, path: Path) -> Any:
        """Return the decoded value, or None with a mistake noted where it cannot be used."""
        match shape:
            case Leaf():
                return self._leaf(value, shape, path)
            case Listed():
                return self._list(value, shape, path)
            case Table() if isinstance(value, Mapping):
                return self.table(value, shape, path)
            case Named() if isinstance(value, Mapping):
                return self._named(value, shape, path)
            case Table(optional=True) if value is None:
                return None
            case Table(words=words) if isinstance(value, str) and value in words:
                return value
        return self._unexpected(value, shape, path)

    def _leaf(self, value: Any, leaf: Leaf, path: Path) -> Any:
        if value is None and leaf.optional:
            return None
        if not leaf.accepts(value):
            return self._unexpected(value, leaf, path)
        return float(value) if leaf.is_number else value

    def _list(self, value: Any, listed: Listed, path: Path) -> Any:
        if not isinstance(value, list):
            return self._unexpected(value, listed, path)
        entries = [self._value(one, listed.of, (*path, str(place))) for place, one in enumerate(value)]
        return [entry for entry in entries if entry is not None]

    def _named(self, value: Mapping[str, Any], named: Named, path: Path) -> dict[str, Any]:
        tables: dict[str, Any] = {}
        for name, one in value.items():
            if not named.name.accepts(name):
                self._wrong((*path, name), f"got {got(name)}, expected {named.name.expected}")
            decoded = self._value(one, named.of, (*path, name))
            if decoded is not None:
                tables[name] = decoded
        return tables

    def _secret(self, values: dict[str, Any], path: Path) -> None:
        name = values.get("env")
        if isinstance(name, str) and not is_variable(name):
            self._wrong(
                (*path, "env"),
                f"{HIDDEN}, expected the name of an environment variable: letters, digits and _",
            )

    def _unexpected(self, value: Any, shape: Shape, path: Path) -> None:
        what = HIDDEN if _is_secret(shape) or _is_within_secret(path) else f"got {got(value)}"
        near = ""
        if isinstance(shape, Leaf) and isinstance(value, str) and shape.choices:
            near = _did_you_mean([f'"{one}"' for one in difflib.get_close_matches(value, shape.choices, 1)])
        self._wrong(path, f"{what}, expected {shape.expected}{near}")

    def _wrong(self, path: Path, text: str) -> None:
        self.mistakes.append(Mistake(".".join(path), text))


def _is_secret(shape: Shape) -> bool:
    return isinstance(shape, Table) and shape.is_secret


def _is_within_secret(path: Path) -> bool:
    around = find(path[:-1])
    return around is not None and _is_secret(around.shape)


def suggest(key: str, table: Table, path: Path, value: Any = None) -> str:
    """Return `; did you mean x?` for an unknown key: one spelt alike here, or the same one elsewhere."""
    close = difflib.get_close_matches(key.lower(), table.entries, 1)
    if close:
        return _did_you_mean(close)
    is_table = isinstance(value, Mapping)
    elsewhere = [
        ".".join(at)
        for at, entry in walk()
        if at[-1] == key and at[:-1] != path and isinstance(entry.shape, (Table, Named)) == is_table
    ]
    if elsewhere:
        return _did_you_mean(elsewhere[:2])
    return f"; known here: {', '.join(table.entries)}"


def _did_you_mean(names: list[str]) -> str:
    return f"; did you mean {' or '.join(names)}?" if names else ""
