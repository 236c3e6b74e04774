"""Writes a report as one HTML page that needs nothing else: no script, no file beside it, nothing from elsewhere.

Light and dark as the reader's system wants it; prints on paper. Its policy (`Content-Security-Policy`) lets nothing run
even if a text that came from elsewhere were not escaped, and every one is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pointsman.operations.report import charts, curves
from pointsman.operations.report.escape import as_html
from pointsman.operations.report.model import (
    Bars,
    Block,
    Cell,
    Curve,
    Facts,
    Heat,
    Line,
    Report,
    Section,
    Steps,
    Table,
    Text,
    Tile,
    Tiles,
    Value,
)
from pointsman.operations.report.style import CSS

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def write(report: Report) -> str:
    """Return the report as a page."""
    contents = "".join(f'<a href="#{_anchor(one)}">{as_html(one.title)}</a>' for one in report.sections)
    body = "".join(_section(one) for one in report.sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{as_html(report.title)}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n"
        f"<header><h1>{as_html(report.title)}</h1><p>{as_html(report.subtitle)}</p><nav>{contents}</nav></header>\n"
        f"{body}</main>\n</body>\n</html>\n"
    )


def _anchor(section: Section) -> str:
    return re.sub(r"[^a-z]+", "-", section.title.lower())


def _section(section: Section) -> str:
    body = "\n".join(_block(block) for block in section.blocks)
    return f'<section id="{_anchor(section)}"><h2>{as_html(section.title)}</h2>\n{body}\n</section>\n'


def _block(block: Block) -> str:
    match block:
        case Text():
            return f'<p class="{block.tone}">{as_html(block.text)}</p>'
        case Facts():
            rows = "".join(f"<dt>{as_html(name)}</dt><dd>{_value(value)}</dd>" for name, value in block.rows)
            return f"<dl>{rows}</dl>"
        case Table():
            return _table(block)
        case Tiles():
            return f'<div class="tiles">{"".join(map(_tile, block.tiles))}</div>'
        case Steps():
            return charts.steps(block)
        case Bars():
            return charts.bars(block)
        case Line():
            return charts.line(block)
        case Curve():
            return curves.curve(block)
        case Heat():
            return curves.heat(block)


def _tile(tile: Tile) -> str:
    return (
        f'<div class="tile {tile.tone}"><b>{as_html(tile.name)}</b><strong>{as_html(tile.value)}</strong>'
        f"<small>{as_html(tile.note)}</small></div>"
    )


def _value(value: Value) -> str:
    if isinstance(value, Cell):
        return f'<span class="{value.tone}">{as_html(value.text)}</span>' if value.tone else as_html(value.text)
    return as_html(value)


def _table(table: Table) -> str:
    if not table.rows:
        return f'<p class="muted">{as_html(table.empty)}</p>'
    caption = f"<caption>{as_html(table.caption)}</caption>" if table.caption else ""
    kinds = [' class="n"' if name.startswith("#") else "" for name in table.columns]
    head = _row("th", [name.removeprefix("#") for name in table.columns], kinds)
    body = "".join(_row("td", row, kinds) for row in table.rows)
    return f'<div class="wide"><table>{caption}<thead>{head}</thead><tbody>{body}</tbody></table></div>'


def _row(tag: str, values: Sequence[Value], kinds: Sequence[str]) -> str:
    cells = "".join(f"<{tag}{kind}>{_value(value)}</{tag}>" for value, kind in zip(values, kinds, strict=True))
    return f"<tr>{cells}</tr>"
