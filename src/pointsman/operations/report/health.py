"""The sections on the health of the components and on tests."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, Final

from pointsman.operations.report import words
from pointsman.operations.report.collect import Evidence
from pointsman.operations.report.model import Cell, Section, Table, Text, Tone, Value

_TONES: Final = {"pass": Tone.GOOD, "warn": Tone.WARN, "fail": Tone.BAD}
_BAD_SHOWN: Final = 20
_BROKEN_SHOWN: Final = 20


def health_section(found: Evidence) -> Section:
    """Return how every component is and was."""
    section = Section("Health")
    if not found.health and not found.health_history:
        why = found.missing.get("health") or found.missing.get("health_history") or "no component was checked"
        section.blocks.append(Text(f"{words.NOT_MEASURED.capitalize()}: {why}.", Tone.MUTED))
        return section
    past: dict[str, Counter[str]] = defaultdict(Counter)
    for mark in found.health_history:
        past[mark["component"]][mark["status"]] += 1
    now = {one["component"]: one for one in found.health}
    rows: list[list[Value]] = []
    for component in sorted({*now, *past}):
        one = now.get(component, {})
        counts = [words.number(past[component][status]) for status in _TONES]
        state = Cell(one["status"], _TONES.get(one["status"], Tone.PLAIN)) if one else Cell("gone", Tone.MUTED)
        rows.append([component, state, words.instant(one.get("time")), *counts, one.get("output") or ""])
    columns = ("component", "status", "last check", "#passed", "#warned", "#failed", "in words")
    section.blocks.append(Table(columns, rows))
    bad = [mark for mark in found.health_history if mark["status"] != "pass"]
    if bad:
        section.blocks.append(_bad_marks(bad))
    return section


def _bad_marks(bad: list[Mapping[str, Any]]) -> Table:
    rows: list[list[Value]] = [
        [words.instant(one["at_wall"]), one["component"], _mark(one["status"]), one.get("output") or ""]
        for one in bad[:_BAD_SHOWN]
    ]
    more = len(bad) - len(rows)
    caption = "Checks that did not pass, the newest first" + (f"; {more:,} more are not shown." if more else ".")
    return Table(("at", "component", "status", "in words"), rows, caption=caption)


def _mark(status: str) -> Cell:
    return Cell(status, _TONES.get(status, Tone.PLAIN))


def tests_section(found: Evidence) -> Section:
    """Return how tests ended."""
    if found.tests is None:
        text = "Not measured: no results were given (`--tests results.xml` reads a JUnit file)."
        return Section("Tests", [Text(text, Tone.MUTED)])
    rows: list[list[Value]] = []
    for suite in [*found.tests.suites, found.tests.total]:
        bad = suite.failed + suite.errors
        broken = [Cell(words.number(one), Tone.BAD if one else Tone.PLAIN) for one in (suite.failed, suite.errors)]
        passed = Cell(words.number(suite.passed), Tone.BAD if bad else Tone.GOOD)
        skipped = words.number(suite.skipped)
        took = words.duration(suite.took_s)
        rows.append([suite.name, words.number(suite.tests), passed, *broken, skipped, took])
    columns = ("suite", "#tests", "#passed", "#failed", "#errors", "#skipped", "#took")
    blocks: list[Any] = [Table(columns, rows)]
    if found.tests.broken:
        names: list[list[Value]] = [[name] for name in found.tests.broken[:_BROKEN_SHOWN]]
        blocks.append(Table(("failed",), names))
    return Section("Tests", blocks)
