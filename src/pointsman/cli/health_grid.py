"""How the last day of checks looks: a row for each component, a cell for each check, and what was not well below it.

Where a screen is too narrow for a cell each, those beside each other share one, which shows the worst.
"""

from __future__ import annotations

import textwrap
from typing import Any, Final

from pointsman.cli import figures
from pointsman.cli.health_screen import MARKS
from pointsman.cli.live import Line, Part, View

DAY_S: Final = 86_400.0

CELLS: Final = (96, 48, 24)
"""Cells of a row: a quarter of an hour each, half an hour, an hour; as many as there is room for."""

_PLAIN: Final = {"pass": "·", "warn": "!", "fail": "✗"}
_NONE: Final = " "
_NEAR: Final = 0.2
"""Of a cell: by so much of an interval two checks may be further apart than planned, see `core.health_schedule`."""

_ORDER: Final = ("pass", "warn", "fail")
_LONGEST_NAME: Final = 28
_MOST_TOLD: Final = 20


def grid(seen: View, width: int, now: float) -> list[Line]:
    """Return the picture as lines for a screen of `width` columns; `now` in Unix seconds."""
    by_component: dict[str, list[dict[str, Any]]] = {}
    for check in reversed(seen["checks"]):
        by_component.setdefault(check["component"], []).append(check)
    if not by_component:
        return [[("No checks in the last 24 hours. `pointsman health --check` looks now.", "")]]
    name_width = min(_LONGEST_NAME, max(map(len, by_component)))
    cells = next((one for one in CELLS if name_width + 2 + one <= width), CELLS[-1])
    lines: list[Line] = [[(" " * (name_width + 2) + _axis(cells), "dim")]]
    for name in sorted(by_component):
        shown = name if len(name) <= name_width else f"{name[: name_width - 1]}…"
        lines.append([(f"{shown:<{name_width}}  ", ""), *_cells(by_component[name], cells, now)])
    step = figures.duration(DAY_S / cells)
    lines.append([(f"a cell is {step}: · pass, ! warn, ✗ fail, blank: no check", "dim")])
    return [*lines, *_told(by_component, width)]


def _axis(cells: int) -> str:
    """Return the heading of the cells: hours before now."""
    marks = "".join(f"{f'-{24 - hour} h':<{cells // 4}}" for hour in (0, 6, 12, 18))
    return f"{marks[: cells - 3]}now"


def _cells(checks: list[dict[str, Any]], cells: int, now: float) -> list[Part]:
    worst, near = [-1] * cells, [-1] * cells
    for check in checks:
        at, status = (check["at_wall"] - (now - DAY_S)) / DAY_S * cells, _ORDER.index(check["status"])
        for of, where in ((worst, at), (near, at - _NEAR), (near, at + _NEAR)):
            place = min(cells - 1, max(0, int(where)))
            of[place] = max(of[place], status)
    # A check that chance put just beside its cell, into that of its neighbour, is no gap.
    worst = [beside if own < 0 else own for own, beside in zip(worst, near, strict=True)]
    return [(_NONE, "") if one < 0 else (_PLAIN[_ORDER[one]], MARKS[_ORDER[one]][1]) for one in worst]


def _told(by_component: dict[str, list[dict[str, Any]]], width: int) -> list[Line]:
    """Return when components became other than well, and why; the newest first."""
    changes = []
    for checks in by_component.values():
        was = "pass"
        for check in checks:
            if check["status"] not in ("pass", was):
                changes.append(check)
            was = check["status"]
    changes.sort(key=lambda check: -check["at_wall"])
    lines: list[Line] = [[("", "")]] if changes else []
    for check in changes[:_MOST_TOLD]:
        mark, style = MARKS[check["status"]]
        begin = f"{figures.instant(check['at_wall'])}  "
        text = textwrap.wrap(f"{check['component']}: {check['output']}", max(20, width - len(begin) - 2)) or [""]
        lines.append([(begin, "dim"), (f"{mark} ", style), (text[0], "")])
        lines += [[(" " * (len(begin) + 2), ""), (line, "")] for line in text[1:]]
    if len(changes) > _MOST_TOLD:
        lines.append([(f"and {len(changes) - _MOST_TOLD:,} more; `-o json` shows all", "dim")])
    return lines
