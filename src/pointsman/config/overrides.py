"""Settings from environment variables and flags, laid over what the file says.

`POINTSMAN__SECTION__KEY` names the key `section.key`; case does not matter. A pool or class is found by its
name whatever the case, with `_` for `.` and `-`; a name that is new is taken in lower case. A list is set as
a whole, as TOML or JSON. A table may be set as a whole too: its keys are laid over those there, but `classes`
and `pools` are replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from pointsman.config.decode import Mistake, Path, suggest
from pointsman.config.shape import Entry, Leaf, Listed, Named, Shape, Table, tree
from pointsman.config.values import parse

PREFIX: Final = "POINTSMAN__"

Origins = dict[Path, str]
"""Where each key got its value: `file:line`, `env NAME` or `flag --name`."""


class Assignment(msgspec.Struct, frozen=True):
    """One value from outside the file: the steps of its key as written, its text, and where it comes from."""

    steps: tuple[str, ...]
    text: str
    origin: str


def from_environment(environ: Mapping[str, str]) -> list[Assignment]:
    """Return what the environment sets, shortest keys first. `POINTSMAN_URL` and the like are no settings."""
    return _in_order(
        Assignment(tuple(name[len(PREFIX) :].split("__")), text, f"env {name}")
        for name, text in environ.items()
        if name.upper().startswith(PREFIX)
    )


def from_flags(overrides: Mapping[str, str]) -> list[Assignment]:
    """Return what flags set, by dotted key; the flag of `engine.max_queued` is known as `--max-queued`."""
    return _in_order(
        Assignment(tuple(key.split(".")), text, "flag --" + key.rpartition(".")[2].replace("_", "-"))
        for key, text in overrides.items()
    )


def _in_order(assignments: Iterable[Assignment]) -> list[Assignment]:
    return sorted(assignments, key=lambda one: (len(one.steps), one.origin))


def lay_over(data: dict[str, Any], origins: Origins, assignments: Iterable[Assignment]) -> list[Mistake]:
    """Put what one source sets into `data` and its origins into `origins`; return what is wrong with its keys."""
    mistakes: list[Mistake] = []
    taken: dict[Path, str] = {}
    for one in assignments:
        path, shape, trouble = _resolve(one.steps, data)
        if not trouble and path in taken:
            trouble = f"set twice: by {taken[path]} and by {one.origin}"
        if trouble:
            mistakes.append(Mistake(".".join(path), trouble, one.origin))
            continue
        taken[path] = one.origin
        _put(data, path, parse(one.text, shape), shape, _Marks(origins, one.origin))
    return mistakes


def _resolve(steps: tuple[str, ...], data: dict[str, Any]) -> tuple[Path, Shape, str]:
    """Return the key that the steps name, its shape, and what is wrong with it or an empty string."""
    shape: Shape = tree()
    path: Path = ()
    place: Any = data
    for step in steps:
        name = step.lower()
        match shape:
            case Table():
                entry = shape.entries.get(name)
                if entry is None:
                    return (*path, name), shape, "unknown key" + suggest(name, shape, path)
                _spell_out_defaults(place, name, entry)
                shape = entry.shape
            case Named():
                names = _matching(step, place)
                if len(names) > 1:
                    return (*path, step), shape, f"more than one is meant: {', '.join(names)}"
                name = names[0] if names else name
                shape = shape.of
            case Listed():
                key = ".".join(path)
                return (*path, step), shape, f"a list is set as a whole: set {key} to a TOML or JSON list"
            case Leaf():
                return (*path, step), shape, f"{'.'.join(path)} is a single value, with nothing in it"
        path = (*path, name)
        place = place.get(name) if isinstance(place, dict) else None
    return path, shape, ""


def _spell_out_defaults(place: Any, name: str, entry: Entry) -> None:
    """Let a variable change one of the default classes or pools, where the file names none of its own."""
    if isinstance(entry.shape, Named) and isinstance(place, dict):
        place.setdefault(name, msgspec.to_builtins(entry.default))


def _matching(step: str, place: Any) -> list[str]:
    names = list(place) if isinstance(place, dict) else []
    for alike in (str, str.lower, _plain):
        found = [name for name in names if alike(name) == alike(step)]
        if found:
            return found
    return []


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


class _Marks(msgspec.Struct, frozen=True):
    """Notes the origin of what one assignment sets."""

    origins: Origins
    origin: str

    def forget(self, path: Path) -> None:
        for key in [key for key in self.origins if key[: len(path)] == path]:
            del self.origins[key]

    def note(self, path: Path, value: Any) -> None:
        self.origins[path] = self.origin
        inside: Iterable[tuple[Any, Any]] = ()
        if isinstance(value, dict):
            inside = value.items()
        elif isinstance(value, list):
            inside = enumerate(value)
        for step, one in inside:
            self.note((*path, str(step)), one)


def _put(data: dict[str, Any], path: Path, value: Any, shape: Shape | None, marks: _Marks) -> None:
    place = data
    for depth, step in enumerate(path[:-1], 1):
        if step not in place:
            place[step] = {}
            marks.note(path[:depth], {})
        place = place[step]
        if not isinstance(place, dict):
            return  # The file has something else here, which is a mistake of its own and will be reported.
    old = place.get(path[-1])
    if isinstance(shape, Table) and isinstance(value, dict) and isinstance(old, dict):
        for key, one in value.items():
            entry = shape.entries.get(key)
            _put(data, (*path, key), one, entry.shape if entry else None, marks)
        return
    marks.forget(path)
    place[path[-1]] = value
    marks.note(path, value)
