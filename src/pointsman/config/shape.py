"""What the tree of settings looks like, read off the structs of `model.settings`, and what each value may be.

One description serves decoding, environment variables, `config explain`, the template and the reference page,
so that they cannot disagree.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import inspect

from pointsman.model.settings import CHOICES, Name, Secret, Settings

NAME_FORM: Final = 'a name: a letter or digit, then at most 63 letters, digits, ".", "_" or "-"'

_NAME_PATTERN = inspect.type_info(Name).pattern  # type: ignore[attr-defined]


class Leaf(msgspec.Struct, frozen=True):
    """A single value.

    Attributes:
        type: what msgspec knows of it: kind, range, pattern.
        optional: it may be left out, which means None.
        choices: the closed set it comes from, or empty.
    """

    type: inspect.StrType | inspect.IntType | inspect.FloatType | inspect.BoolType
    optional: bool = False
    choices: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """What it may be, in words."""
        match self.type:
            case inspect.BoolType():
                return "true or false"
            case inspect.IntType() | inspect.FloatType():
                return _expected_number(self.type)
        if self.choices:
            return "one of " + ", ".join(f'"{choice}"' for choice in self.choices)
        if self.type.pattern == _NAME_PATTERN:
            return NAME_FORM
        if self.type.pattern:
            return f"text of the form {self.type.pattern}"
        return "text that is not empty" if self.type.min_length else "text"

    @property
    def is_number(self) -> bool:
        """It is a number that need not be whole."""
        return isinstance(self.type, inspect.FloatType)

    @property
    def is_text(self) -> bool:
        """It is text."""
        return isinstance(self.type, inspect.StrType)

    def accepts(self, value: Any) -> bool:
        """Whether `value` may stand here. A whole number is a number, true is not."""
        match self.type:
            case inspect.BoolType():
                return isinstance(value, bool)
            case inspect.IntType():
                return isinstance(value, int) and not isinstance(value, bool) and _in_range(self.type, value)
            case inspect.FloatType():
                is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
                return is_number and _is_finite(value) and _in_range(self.type, value)
        return isinstance(value, str) and self._accepts_text(value)

    def _accepts_text(self, value: str) -> bool:
        if self.choices:
            return value in self.choices
        of = self.type
        if not isinstance(of, inspect.StrType):
            return False
        long_enough = len(value) >= (of.min_length or 0)
        return long_enough and (of.pattern is None or re.fullmatch(of.pattern, value) is not None)


class Table(msgspec.Struct, frozen=True):
    """A table with known keys: one struct of `model.settings`.

    Attributes:
        cls: that struct.
        entries: its keys.
        optional: it may be left out, which means None.
        words: what may stand in its place.
    """

    cls: type[msgspec.Struct]
    entries: dict[str, Entry]
    optional: bool = False
    words: tuple[str, ...] = ()

    @property
    def is_secret(self) -> bool:
        """It names a secret; what stands in its place by mistake may be one, and is never shown."""
        return self.cls is Secret

    @property
    def expected(self) -> str:
        """What it may be, in words."""
        table = '{ env = "NAME" } or { file = "PATH" }' if self.is_secret else "a table"
        return " or ".join([table, *(f'"{word}"' for word in self.words)])


class Named(msgspec.Struct, frozen=True):
    """A table whose keys are the user's own names."""

    of: Table
    name: Leaf
    expected: str = "a table of tables"


class Listed(msgspec.Struct, frozen=True):
    """A list."""

    of: Table | Leaf

    @property
    def expected(self) -> str:
        """What it may be, in words."""
        return "a list of tables" if isinstance(self.of, Table) else f"a list, each entry {self.of.expected}"


Shape = Leaf | Table | Named | Listed


class Entry(msgspec.Struct, frozen=True):
    """One key of a table.

    Attributes:
        shape: what may stand there.
        description: what it means, in one line.
        required: it has no default.
        default: the default, where there is one.
    """

    shape: Shape
    description: str
    required: bool
    default: Any = None


@functools.cache
def tree() -> Table:
    """Return the shape of the whole tree."""
    return _table(inspect.type_info(Settings), ())


def find(path: tuple[str, ...]) -> Entry | None:
    """Return the entry at a path such as `("pools", "any", "workers", "0")`, None if there is no such key."""
    entry: Entry | None = Entry(tree(), "", required=False)
    for step in path:
        if entry is None:
            return None
        entry = _step(entry.shape, step)
    return entry


def _step(shape: Shape, step: str) -> Entry | None:
    match shape:
        case Table():
            return shape.entries.get(step)
        case Named():
            return Entry(shape.of, "", required=False)
        case Listed() if step.isdecimal() or step == "*":
            return Entry(shape.of, "", required=True)
    return None


def walk(shape: Shape | None = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Entry]]:
    """Yield every entry with its path, tables before what is in them; `*` stands for a name or position."""
    match shape or tree():
        case Table(entries=entries):
            for key, entry in entries.items():
                yield (*path, key), entry
                yield from walk(entry.shape, (*path, key))
        case Named(of=of) | Listed(of=of) if isinstance(of, Table):
            yield from walk(of, (*path, "*"))


def _table(info: inspect.Type, path: tuple[str, ...], *, optional: bool = False, words: tuple[str, ...] = ()) -> Table:
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{'.'.join(path)}: {info} is no table")
    entries = {}
    for field in info.fields:
        entries[field.encode_name] = _entry(field, (*path, field.encode_name))
    return Table(info.cls, entries, optional, words)


def _entry(field: inspect.Field, path: tuple[str, ...]) -> Entry:
    default = field.default
    if default is msgspec.NODEFAULT:
        default = None if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    described = field.type.extra_json_schema if isinstance(field.type, inspect.Metadata) else None
    description = (described or {}).get("description", "")
    return Entry(_shape(field.type, path), description, field.required, default)


def _shape(info: inspect.Type, path: tuple[str, ...]) -> Shape:
    info, optional = _bare(info)
    match info:
        case inspect.StrType() | inspect.IntType() | inspect.FloatType() | inspect.BoolType():
            return Leaf(info, optional, CHOICES.get(".".join(path), ()))
        case inspect.StructType():
            return _table(info, path, optional=optional)
        case inspect.UnionType(types=(inspect.StructType() as table, inspect.LiteralType(values=words))):
            return _table(table, path, optional=optional, words=tuple(str(word) for word in words))
        case inspect.DictType():
            name = _shape(info.key_type, path)
            if isinstance(name, Leaf):
                return Named(_table(_bare(info.value_type)[0], (*path, "*")), name)
        case inspect.ListType():
            of = _shape(info.item_type, (*path, "*"))
            if isinstance(of, (Leaf, Table)):
                return Listed(of)
    raise TypeError(f"{'.'.join(path)}: settings of type {info} are not known to config/shape.py")


def _bare(info: inspect.Type) -> tuple[inspect.Type, bool]:
    """Return the type without its description and without None, and whether None was there."""
    if isinstance(info, inspect.Metadata):
        info = info.type
    if not isinstance(info, inspect.UnionType):
        return info, False
    others = tuple(one for one in info.types if not isinstance(one, inspect.NoneType))
    optional = len(others) < len(info.types)
    return (_bare(others[0])[0] if len(others) == 1 else inspect.UnionType(others)), optional


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _in_range(of: inspect.IntType | inspect.FloatType, value: float) -> bool:
    return (
        (of.ge is None or value >= of.ge)
        and (of.gt is None or value > of.gt)
        and (of.le is None or value <= of.le)
        and (of.lt is None or value < of.lt)
    )


def _expected_number(of: inspect.IntType | inspect.FloatType) -> str:
    kind = "a whole number" if isinstance(of, inspect.IntType) else "a number"
    if of.ge is not None and of.le is not None:
        return f"{kind} from {_figure(of.ge)} to {_figure(of.le)}"
    bounds = [
        f"{word} {_figure(bound)}"
        for word, bound in (("at least", of.ge), ("above", of.gt), ("at most", of.le), ("below", of.lt))
        if bound is not None
    ]
    return " ".join([kind, " and ".join(bounds)]).strip()


def _figure(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"
