"""Writes a report as Markdown (GitHub's tables). Charts are written down as tables, so nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pointsman.operations.report import words
from pointsman.operations.report.escape import as_markdown
from pointsman.operations.report.model import (
    Bars,
    Block,
    Cell,
    Curve,
    Facts,
    Heat,
    Line,
    Report,
    Steps,
    Table,
    Text,
    Tiles,
    Tone,
    Value,
)

_MARKS: Final = {Tone.GOOD: "✔ ", Tone.BAD: "✘ ", Tone.WARN: "! ", Tone.MUTED: "", Tone.PLAIN: ""}


def write(report: Report) -> str:
    """Return the report as a document that ends with a newline."""
    parts = [f"# {as_markdown(report.title)}", as_markdown(report.subtitle)]
    for section in report.sections:
        parts.append(f"## {as_markdown(section.title)}")
        parts += [block for one in section.blocks if (block := _block(one))]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> str:
    match block:
        case Text():
            return _MARKS[block.tone] + as_markdown(block.text)
        case Facts():
            return _table(("", ""), [(name, value) for name, value in block.rows])
        case Table():
            return _captioned(block)
        case Tiles():
            return _table(
                ("figure", "value", ""), [(one.name, Cell(one.value, one.tone), one.note) for one in block.tiles]
            )
        case Steps():
            rows = [(one.name, words.instant(one.since), words.share(one.level)) for one in block.steps]
            return f"{as_markdown(block.title)}:\n\n" + _table(("stage", "from", "#share"), rows)
        case Bars():
            return f"{as_markdown(block.title)}:\n\n" + _table(
                ("", "#"), [(bar.name, Cell(bar.text, bar.tone)) for bar in block.bars]
            )
        case Line():
            return _line(block)
        case Curve():
            return _curve(block)
        case Heat():
            columns = (block.corner, *(f"#{name}" for name in block.names))
            counts = [(name, *map(str, row)) for name, row in zip(block.names, block.counts, strict=True)]
            return f"{as_markdown(block.title)}:\n\n" + _table(columns, counts)


def _captioned(table: Table) -> str:
    if not table.rows:
        return as_markdown(table.empty)
    head = f"{as_markdown(table.caption)}\n\n" if table.caption else ""
    return head + _table(table.columns, table.rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[Value]]) -> str:
    names = [as_markdown(name.removeprefix("#")) for name in columns]
    rule = ["---:" if name.startswith("#") else "---" for name in columns]
    lines = [names, rule, *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Value) -> str:
    if isinstance(value, Cell):
        return _MARKS[value.tone] + as_markdown(value.text)
    return as_markdown(value)


def _line(line: Line) -> str:
    high, low = line.texts
    if not high:
        return f"{as_markdown(line.title)}: {words.NOT_MEASURED}."
    known = sum(1 for point in line.points if point.value is not None)
    hours = f"{known} of {len(line.points)} hours with data"
    return f"{as_markdown(line.title)}: {as_markdown(low)} to {as_markdown(high)}, {hours}."


def _curve(curve: Curve) -> str:
    along, up = curve.axes
    parts = [f"{as_markdown(curve.title)}:"]
    for place, one in enumerate(curve.series):
        if one.is_guide:
            continue
        notes = curve.notes if place == 0 and curve.notes else [""] * len(one.points)
        rows = [
            (words.number(x) if curve.counts_along else words.share(x), words.share(y), note)
            for (x, y), note in zip(one.points, notes, strict=True)
        ]
        parts.append(_table((f"#{along}", f"#{up}", one.name), rows))
    return "\n\n".join(parts)
