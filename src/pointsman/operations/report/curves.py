"""Draws one figure against another as SVG, and a table of counts by heat; colours come from the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pointsman.operations.report import words
from pointsman.operations.report.axis import Axis
from pointsman.operations.report.escape import as_html
from pointsman.operations.report.model import Curve, Heat, Series

_WIDTH: Final = 560
_HEIGHT: Final = 330
_LEFT: Final = 56
_RIGHT: Final = 22
_TOP: Final = 26
_BOTTOM: Final = 44
_TICKS: Final = 5


def curve(chart: Curve) -> str:
    """Return a chart of lines; what they are stands above them, and each point says its figures when touched."""
    x = Axis(*chart.along, _LEFT, _WIDTH - _RIGHT)
    y = Axis(*chart.up, _HEIGHT - _BOTTOM, _TOP)
    parts = [_across(y, value) for value in _ticks(*chart.up)]
    marked = [along for along, _ in chart.series[0].points] if chart.counts_along else _ticks(*chart.along)
    parts += [_along(x, value, counts=chart.counts_along) for value in marked]
    for place, series in enumerate(chart.series):
        notes = chart.notes if place == 0 else ()
        parts += _series(series, x, y, place, notes, counts=chart.counts_along)
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    along, up = chart.axes
    return (
        f'<figure class="curve"><figcaption>{as_html(chart.title)}</figcaption>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{as_html(chart.title)}">{"".join(parts)}'
        f'<text class="mid" x="{middle:.0f}" y="{_HEIGHT - 6}">{as_html(along)}</text>'
        f'<text x="4" y="12">{as_html(up)}</text>{_legend(chart.series)}</svg></figure>'
    )


def _series(series: Series, x: Axis, y: Axis, place: int, notes: Sequence[str], *, counts: bool) -> list[str]:
    spots = [(x.at(along), y.at(up)) for along, up in series.points]
    kind = "guide" if series.is_guide else f"line s{place}"
    parts = [f'<polyline class="{kind}" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in spots)}"/>']
    if series.is_guide:
        return parts
    for number, ((a, b), (along, up)) in enumerate(zip(spots, series.points, strict=True)):
        title = f"{_figure(along, counts=counts)}: {words.share(up)}"
        title += f", {notes[number]}" if number < len(notes) else ""
        parts.append(
            f'<circle class="s{place}" cx="{a:.1f}" cy="{b:.1f}" r="3"><title>{as_html(title)}</title></circle>'
        )
    return parts


def _legend(series: Sequence[Series]) -> str:
    parts, at = [], float(_WIDTH - _RIGHT)
    for place, one in reversed(list(enumerate(series))):
        parts.append(f'<text class="end" x="{at:.0f}" y="12">{as_html(one.name)}</text>')
        at -= 6.2 * len(one.name) + 8
        kind = "guide" if one.is_guide else f"line s{place}"
        parts.append(f'<line class="{kind}" x1="{at - 18:.0f}" x2="{at:.0f}" y1="8" y2="8"/>')
        at -= 32
    return "".join(parts)


def _ticks(low: float, high: float) -> list[float]:
    return [low + (high - low) * place / _TICKS for place in range(_TICKS + 1)]


def _across(y: Axis, value: float) -> str:
    at = y.at(value)
    return (
        f'<line class="rule" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
        f'<text class="end" x="{_LEFT - 6}" y="{at + 4:.1f}">{100 * value:.0f} %</text>'
    )


def _along(x: Axis, value: float, *, counts: bool) -> str:
    return (
        f'<text class="mid" x="{x.at(value):.1f}" y="{_HEIGHT - _BOTTOM + 16}">{_figure(value, counts=counts)}</text>'
    )


def _figure(value: float, *, counts: bool) -> str:
    return words.number(value) if counts else f"{100 * value:.0f} %"


def heat(chart: Heat) -> str:
    """Return the table; a cell off the diagonal is the redder, the more of its row went there."""
    head = "".join(f"<th>{as_html(name)}</th>" for name in chart.names)
    rows = "".join(_heat_row(place, chart) for place in range(len(chart.names)))
    return (
        f'<div class="wide"><table class="heat"><caption>{as_html(chart.title)}</caption>'
        f"<thead><tr><th>{as_html(chart.corner)}</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _heat_row(place: int, chart: Heat) -> str:
    counts = chart.counts[place]
    total = sum(counts) or 1
    cells = []
    for column, count in enumerate(counts):
        kind = "hit" if column == place else "miss"
        cells.append(f'<td class="{kind}" style="--heat:{count / total:.3f}">{count:,}</td>')
    return f"<tr><th>{as_html(chart.names[place])}</th>{''.join(cells)}</tr>"
