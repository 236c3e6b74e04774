"""The reference page of all settings, in Markdown, from the tree itself."""

from __future__ import annotations

from typing import Final

from pointsman.config.shape import NAME_FORM, Entry, Leaf, Listed, Named, Shape, Table, tree
from pointsman.config.values import toml

_INTRODUCTION: Final = """\
# Settings

One TOML file, `pointsman.toml`; `pointsman init` writes one with comments. Every key has a default, so that
the file may be missing. A flag wins over the environment, the environment over the file, the file over the
default. All mistakes are reported at once, each with its line. `pointsman config explain` shows what is in
force and why.

**The file wins for what it names.** A file with a `[classes.*]` of its own replaces the default classes, all
of them, and one with a `[pools.*]` replaces the default pools. Of every other table it changes only the keys
it names.

**Environment.** `POINTSMAN__SECTION__KEY` sets `section.key`, for instance
`POINTSMAN__LIMITS__RATE_PER_MIN=500` or `POINTSMAN__POOLS__CODERS__BALANCER=p2c`. Case does not matter. The
name of a pool or class is found whatever its case, with `_` for `.` and `-`; a new name is taken in lower
case. A value is read as TOML (or JSON), and as text where text is wanted. A list is set as a whole:
`POINTSMAN__POOLS__CODERS__WORKERS='[{id = "a", url = "http://127.0.0.1:9001"}]'`.

**Names** begin with a letter or digit, followed by at most 63 letters, digits, `.`, `_` or `-`.

**Secrets** are named, never written down: `{ env = "NAME" }`, or `{ file = "PATH" }`, where PATH starts from
the folder of the settings file. A file is read again when it changes.

**Default classes and pools**, where the file names none:
"""


def reference() -> str:
    """Return the page."""
    parts = [_INTRODUCTION, _default_tables()]
    for key, entry in tree().entries.items():
        parts.append(f"## {key}\n\n{_sentence(entry.description)}\n")
        parts.extend(_tables(key, entry.shape))
    return "\n".join(parts)


def _default_tables() -> str:
    lines = ["```toml"]
    for key, entry in tree().entries.items():
        if isinstance(entry.shape, Named):
            for name, one in entry.default.items():
                lines.append(f"[{key}.{name}]")
                lines += [
                    f"{field} = {toml(getattr(one, field))}"
                    for field, inner in entry.shape.of.entries.items()
                    if getattr(one, field) != inner.default
                ]
    return "\n".join([*lines, "```", ""])


def _tables(key: str, shape: Shape) -> list[str]:
    """Return the Markdown of a table's own keys, then that of the tables within it."""
    match shape:
        case Named(of=of):
            return _tables(f"{key}.NAME", of)
        case Listed(of=of) if isinstance(of, Table):
            return _tables(f"{key}.N", of)
        case Table(entries=entries) if not shape.is_secret:
            parts = [_keys(key, entries)]
            for name, entry in entries.items():
                parts.extend(_tables(f"{key}.{name}", entry.shape))
            return parts
    return []


def _keys(key: str, entries: dict[str, Entry]) -> str:
    lines = [f"### `[{key}]`", "", "| key | what it may be | default | meaning |", "|---|---|---|---|"]
    for name, entry in entries.items():
        default = "required" if entry.required else _default(entry)
        lines.append(f"| `{name}` | {_cell(_short(entry))} | {default} | {_cell(entry.description)} |")
    return "\n".join([*lines, ""])


def _default(entry: Entry) -> str:
    match entry.shape:
        case Table(is_secret=False):
            return "see below"
        case Leaf() | Listed() | Named() | Table() if entry.default is None:
            return "-"
    return f"`{toml(entry.default)}`"


def _short(entry: Entry) -> str:
    return entry.shape.expected.replace(NAME_FORM, "a name")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
