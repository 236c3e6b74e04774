"""How the health of a router looks: components in groups, each with a mark, a figure and a sentence.

Made of what `GET /api/v1/health` answers. What is well takes one line; what is not is told whole. Many components of a
kind that are all well share a line, so that what is not stands out in a fleet of hundreds.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any, Final

from pointsman.cli import figures
from pointsman.cli.live import Line, View

MARKS: Final = {"pass": ("√", "green"), "warn": ("!", "yellow"), "fail": ("✗", "bold red")}
"""As `linkerd check` has them, and their colours."""

_GROUPS: Final = {
    "messages": ("admission", "access", "classifier", "learning", "engine", "scheduler"),
    "fleet": ("pool", "worker", "breakers"),
    "rollout": ("rollout",),
    "process": ("event_loop", "memory", "descriptors", "clock", "disk", "telemetry"),
}
"""Kinds by the heading they stand under; other kinds stand under the last."""

_OTHERS: Final = "others"
_MANY: Final = 8
"""From so many on, components of a kind that are well share a line."""

_WIDE: Final = 100
_FIGURE_WIDTH: Final = 10
_LONGEST_NAME: Final = 28


def screen(seen: View, width: int, url: str = "") -> list[Line]:
    """Return the whole picture as lines for a screen of `width` columns."""
    checks = [one for found in seen["checks"].values() for one in found]
    rows = [(heading, _folded(of)) for heading, of in _grouped(checks)]
    name_width = min(_LONGEST_NAME, max((len(one["component"]) for _, of in rows for one in of), default=0))
    lines = [_head(seen, url)]
    for heading, of in rows:
        lines += [[("", "")], [(heading, "bold")]]
        for one in of:
            lines += _row(one, name_width, width)
    lines += [[("", "")], [(_when(checks), "dim")]]
    if seen["output"]:
        lines += [[(line, "yellow")] for line in textwrap.wrap(f"The history: {seen['output']}", width)]
    return lines


def essence(seen: View) -> object:
    """Return what must differ for the picture to be worth printing again."""
    return [(name, one["status"], one["because_of"]) for name, found in seen["checks"].items() for one in found]


def _head(seen: View, url: str) -> Line:
    summary = seen["summary"]
    parts = [f"{number:,} {word}" for word, number in reversed(summary.items()) if number]
    where = f" at {url}" if url else ""
    return [
        (f"Pointsman {seen['version']}{where}: ", "bold"),
        (", ".join(parts) or "nothing", MARKS[seen["status"]][1]),
    ]


def _grouped(checks: list[dict[str, Any]]) -> Iterable[tuple[str, list[dict[str, Any]]]]:
    known = {kind for kinds in _GROUPS.values() for kind in kinds}
    for heading, kinds in _GROUPS.items():
        of = [one for kind in kinds for one in checks if one["componentType"] == kind]
        if of:
            yield heading, of
    rest = [one for one in checks if one["componentType"] not in known]
    if rest:
        yield _OTHERS, rest


def _folded(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of a group: those that are well of a kind with many as one."""
    well: dict[str, list[dict[str, Any]]] = {}
    for one in checks:
        if one["status"] == "pass":
            well.setdefault(one["componentType"], []).append(one)
    rows, told = [], set()
    for one in checks:
        kind = one["componentType"]
        alike = well.get(kind, [])
        if one["status"] != "pass" or len(alike) < _MANY:
            rows.append(one)
        elif kind not in told:
            told.add(kind)
            name = f"{len(alike):,} {kind}s"
            rows.append({**one, "component": name, "observed": None, "output": "all of them pass"})
    return rows


def _row(one: dict[str, Any], name_width: int, width: int) -> list[Line]:
    mark, style = MARKS[one["status"]]
    figure = f"{_figure(one):>{_FIGURE_WIDTH}}  " if width >= _WIDE else ""
    name = one["component"]
    begin = f"{name:<{name_width}}  {figure}"
    indent = 4 + name_width + 2 + len(figure)
    room = max(20, width - indent)
    if one["status"] == "pass":
        return [
            [
                ("  ", ""),
                (mark, style),
                (f" {begin}", ""),
                (textwrap.shorten(one["output"], room, placeholder="…"), "dim"),
            ]
        ]
    wrapped = textwrap.wrap(one["output"], room) or [""]
    if len(name) > name_width:
        wrapped = ["", *wrapped]
    first: Line = [("  ", ""), (mark, style), (f" {begin}", "bold"), (wrapped[0], style)]
    return [first, *([(" " * indent, ""), (line, style)] for line in wrapped[1:])]


def _figure(one: dict[str, Any]) -> str:
    """Return what was observed, for people."""
    value, unit = one["observed"], one["unit"]
    if value is None:
        return ""
    if unit == "s":
        return figures.duration(value)
    if unit == "bytes":
        return _size(value)
    if unit == "share":
        return figures.share(value)
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"


def _size(value: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.3g} {unit}"
        value /= 1024
    return f"{value:,.3g} TiB"


def _when(checks: list[dict[str, Any]]) -> str:
    ages = [one["age_s"] for one in checks if one["age_s"] is not None]
    look = "`pointsman health --check` looks now"
    if not ages:
        return f"not checked deeply yet, only probed; {look}"
    oldest = figures.age(0.0, max(ages))
    never = sum(one["age_s"] is None for one in checks)
    more = f", {never:,} not yet" if never else ""
    return f"deep checks at most {oldest} old{more}; {look}"
