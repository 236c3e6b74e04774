"""From file, environment and flags to settings in force, with the origin of each value.

Precedence: flag > environment > file > default. The file wins for what it names: one that has a `[classes.*]`
or `[pools.*]` of its own replaces the default classes or pools, all of them. Nothing is half used: either
everything is right, or `SettingsError` lists every mistake with its place.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, Final

import msgspec

from pointsman.config.decode import Mistake, decode
from pointsman.config.decode import Path as KeyPath
from pointsman.config.locate import locate
from pointsman.config.overrides import Origins, from_environment, from_flags, lay_over
from pointsman.config.shape import find
from pointsman.config.values import printable
from pointsman.model.errors import SettingsError
from pointsman.model.settings import Secret, Settings

DEFAULT_FILE: Final = FilePath("pointsman.toml")
"""The file that is read, if it is there, when none is named."""

DEFAULT: Final = "default"

_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class Loaded(msgspec.Struct, frozen=True):
    """Settings in force and where they come from.

    Attributes:
        settings: the settings.
        origins: by dotted key of each value: `default`, `file:line`, `env NAME` or `flag --name`.
        path: the file that was read, or None.
    """

    settings: Settings
    origins: dict[str, str]
    path: FilePath | None


def load(
    path: FilePath | None = None,
    *,
    environ: Mapping[str, str],
    overrides: Mapping[str, str] | None = None,
) -> Loaded:
    """Return the settings of file, environment and flags together.

    Args:
        path: the settings file. None reads `pointsman.toml` in the current directory if there is one.
        environ: environment variables, see `environment.snapshot`; those that begin with `POINTSMAN__` count.
        overrides: flags, by dotted key, as text.

    Raises:
        SettingsError: with every mistake, as `file:line: key: got X, expected Y`; also where a file that was
            named is not there or is not TOML.
    """
    if path is None and DEFAULT_FILE.is_file():
        path = DEFAULT_FILE
    data: dict[str, Any] = {}
    origins: Origins = {}
    if path is not None:
        data, lines = _read(path)
        origins = {key: f"{path}:{line}" for key, line in lines.items()}
    mistakes = lay_over(data, origins, from_environment(environ))
    mistakes += lay_over(data, origins, from_flags(overrides or {}))
    settings, found = decode(data)
    mistakes += found
    by_key = {".".join(key): origin for key, origin in origins.items()}
    if mistakes:
        raise SettingsError(_described(mistakes, by_key, path))
    keys = (".".join(key) for key, _ in leaves(settings))
    return Loaded(settings, {key: by_key.get(key, DEFAULT) for key in keys}, path)


def leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield every single value of settings with the steps of its key; a secret or plain list is one value."""
    if isinstance(value, msgspec.Struct) and not isinstance(value, Secret):
        for name in value.__struct_fields__:
            yield from leaves(getattr(value, name), (*path, name))
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, (*path, name))
    elif isinstance(value, list) and value and isinstance(value[0], msgspec.Struct):
        for place, one in enumerate(value):
            yield from leaves(one, (*path, str(place)))
    else:
        yield path, value


def _read(path: FilePath) -> tuple[dict[str, Any], dict[KeyPath, int]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return tomllib.loads(text), locate(text)
    except FileNotFoundError:
        raise SettingsError([f"{path}: there is no such file; `pointsman init` writes one"]) from None
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SettingsError([f"{path}:{line}: not UTF-8, which TOML is written in"]) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([_syntax_mistake(path, str(error))]) from error
    except RecursionError:
        raise SettingsError([f"{path}: nested too deeply to be settings"]) from None


def _syntax_mistake(path: FilePath, message: str) -> str:
    place = _TOML_PLACE.search(message)
    at = f"{place[1]}:{place[2]}" if place and place[1] else "end"
    what = message[: place.start()] if place else message
    return printable(f"{path}:{at}: not TOML: {what}")


def _described(mistakes: list[Mistake], origins: dict[str, str], path: FilePath | None) -> list[str]:
    """Return each mistake as one line with its place, in the order of the file."""
    placed = []
    for mistake in mistakes:
        origin = mistake.origin or _nearest(mistake.key, origins)
        where = origin or (str(path) if path else DEFAULT)
        hint = "" if mistake.origin else _default_hint(mistake.key, origins)
        placed.append((_order(origin), printable(f"{where}: {mistake.key}: {mistake.text}{hint}")))
    placed.sort(key=lambda one: one[0])
    return [line for _, line in placed]


def _nearest(key: str, origins: dict[str, str]) -> str:
    """Return the origin of a key, or of the innermost table around it that has one; empty if none has."""
    while key:
        if key in origins:
            return origins[key]
        key = key.rpartition(".")[0]
    return ""


def _default_hint(key: str, origins: dict[str, str]) -> str:
    """Say so where a mistake is about something that nobody wrote."""
    if key.startswith("classes.") and "classes" not in origins:
        return " (a default class: whoever names pools of their own names the classes too)"
    entry = find(tuple(key.split(".")))
    return " (the default)" if entry and entry.default and key not in origins else ""


def _order(origin: str) -> tuple[int, int]:
    file, _, line = origin.rpartition(":")
    if file and line.isdecimal() and not origin.startswith(("env ", "flag ")):
        return 0, int(line)
    return 1, 0
