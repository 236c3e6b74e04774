"""Draws the charts of a report as SVG that takes its colours from the page, light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pointsman.operations.report import words
from pointsman.operations.report.axis import Axis
from pointsman.operations.report.escape import as_html
from pointsman.operations.report.model import Bar, Bars, Line, Point, Steps, Tone

_WIDTH: Final = 760
_HEIGHT: Final = 190
_LEFT: Final = 52
_TOP: Final = 14
_BOTTOM: Final = 26
_LETTER: Final = 6.4
"""Width of a letter at the size of the labels, roughly."""


def steps(chart: Steps) -> str:
    """Return a chart of levels over time."""
    first, last = chart.steps[0].since, chart.steps[-1].until
    x = Axis(first, last, _LEFT, _WIDTH)
    y = Axis(0.0, 1.0, _HEIGHT - _BOTTOM, _TOP)
    parts = [_rule(y, level, words.share(level)) for level in (0.0, 0.5, 1.0)]
    for one in chart.steps:
        left, right, top = x.at(one.since), x.at(one.until), y.at(one.level)
        wide = max(1.5, right - left)
        title = f"{one.name}: {words.share(one.level)} from {words.instant(one.since)}"
        parts.append(
            f'<rect class="area {one.tone}" x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}"'
            f' height="{max(2.0, y.at(0.0) - top):.1f}"><title>{as_html(title)}</title></rect>'
        )
        if wide > _LETTER * len(one.name) + 8:
            height = max(_TOP + 10.0, top - 5.0)
            parts.append(f'<text x="{left + 4:.1f}" y="{height:.1f}">{as_html(one.name)}</text>')
    return _figure(chart.title, parts, first, last)


def line(chart: Line) -> str:
    """Return a chart of a figure over time; where nothing was measured there is a gap."""
    known = [point.value for point in chart.points if point.value is not None]
    if not known:
        return f'<p class="muted">{as_html(chart.title)}: {words.NOT_MEASURED}.</p>'
    low, high = min(known), max([*known, chart.bar or 0.0])
    low = 0.0 if chart.bar is not None else low
    if high <= low:
        low -= (abs(low) or 1.0) * 0.05
    first, last = chart.points[0].at, chart.points[-1].at
    x = Axis(first, last, _LEFT, _WIDTH - 8)
    y = Axis(low, high, _HEIGHT - _BOTTOM, _TOP)
    parts = [_rule(y, max(known), chart.texts[0])]
    if min(known) < max(known):
        parts.append(_rule(y, min(known), chart.texts[1]))
    if chart.bar is not None:
        at = y.at(chart.bar)
        parts.append(f'<line class="goal" x1="{_LEFT}" x2="{_WIDTH}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(
            f'<text class="end" x="{_WIDTH - 4}" y="{at + 12:.1f}">objective {words.duration(chart.bar)}</text>'
        )
    for piece in _pieces(chart.points):
        spots = [(x.at(point.at), y.at(point.value or 0.0)) for point in piece]
        parts.append(f'<polyline class="line" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in spots)}"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2"/>' for a, b in spots]
    return _figure(chart.title, parts, first, last)


def bars(chart: Bars) -> str:
    """Return a chart of bars against the largest; the figure stands beside each."""
    most = max((bar.value for bar in chart.bars), default=0.0) or 1.0
    rows = "".join(_bar(bar, most) for bar in chart.bars)
    return f'<figure><figcaption>{as_html(chart.title)}</figcaption><div class="bars">{rows}</div></figure>'


def _bar(bar: Bar, most: float) -> str:
    width = max(0.4, 100.0 * bar.value / most) if bar.value else 0.0
    tone = bar.tone or Tone.PLAIN
    return (
        f"<span>{as_html(bar.name)}</span>"
        f'<span class="track"><span class="fill {tone}" style="width:{width:.1f}%"></span></span>'
        f"<span>{as_html(bar.text)}</span>"
    )


def _pieces(points: Sequence[Point]) -> list[list[Point]]:
    """Return runs of points that were measured one after the other."""
    pieces: list[list[Point]] = [[]]
    for point in points:
        if point.value is not None:
            pieces[-1].append(point)
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if piece]


def _rule(y: Axis, value: float, text: str) -> str:
    at = y.at(value)
    return (
        f'<line class="rule" x1="{_LEFT}" x2="{_WIDTH}" y1="{at:.1f}" y2="{at:.1f}"/>'
        f'<text class="end" x="{_LEFT - 6}" y="{at + 4:.1f}">{as_html(text)}</text>'
    )


def _figure(title: str, parts: Sequence[str], first: float, last: float) -> str:
    below = _HEIGHT - 8
    return (
        f"<figure><figcaption>{as_html(title)}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{as_html(title)}">{"".join(parts)}'
        f'<text x="{_LEFT}" y="{below}">{words.instant(first)}</text>'
        f'<text class="end" x="{_WIDTH}" y="{below}">{words.instant(last)}</text></svg></figure>'
    )
