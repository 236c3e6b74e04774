"""What each setting is now, where that came from, what it means and what it would be by default."""

from __future__ import annotations

import difflib
import re

import msgspec

from pointsman.config.load import Loaded, leaves
from pointsman.config.shape import find
from pointsman.config.values import toml
from pointsman.model.errors import NotFound

_PASSWORD = re.compile(r"(://[^/@:\s]*:)[^/@\s]*@")


class Row(msgspec.Struct, frozen=True):
    """One setting in force, as TOML; a secret only as where it comes from, a URL without its password."""

    key: str
    value: str
    origin: str
    description: str
    default: str


def explain(loaded: Loaded, key: str | None = None) -> list[Row]:
    """Return a row for each setting, or for those at and under `key`, in the order of the file's sections.

    Raises:
        NotFound: no setting has that key; the message names those spelt alike.
    """
    rows = [_row(".".join(path), path, value, loaded) for path, value in leaves(loaded.settings)]
    if key is None:
        return rows
    chosen = [row for row in rows if row.key == key or row.key.startswith(f"{key}.")]
    if not chosen:
        close = difflib.get_close_matches(key, [row.key for row in rows], 3)
        near = f"; did you mean {' or '.join(close)}?" if close else ""
        raise NotFound(f"there is no setting {key!r}{near}")
    return chosen


def _row(key: str, path: tuple[str, ...], value: object, loaded: Loaded) -> Row:
    entry = find(path)
    if entry is None:
        raise NotFound(f"there is no setting {key!r}")
    default = "required" if entry.required else toml(entry.default)
    shown = _PASSWORD.sub(r"\1***@", toml(value))
    return Row(key, shown, loaded.origins[key], entry.description, default)
