"""One row of the table: what was measured, beside its bar."""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """A figure and its bar.

    Attributes:
        part: of the bars.
        name: what it is.
        value: what was measured; None where it was not.
        bar: what it is held against; None for a figure that only stands beside others.
        at_least: more is better.
        unit: of both.
        note: why it was not measured, or what else there is to say.
    """

    part: str
    name: str
    value: float | None
    bar: float | None = None
    at_least: bool = False
    unit: str = ""
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the bar holds: `ok`, `MISSED`, or nothing where there is none to hold."""
        if self.value is None or self.bar is None:
            return ""
        return "ok" if (self.value >= self.bar if self.at_least else self.value <= self.bar) else "MISSED"


def not_there(part: str, name: str, what: str) -> Figure:
    """Return the row of data that lie elsewhere, and not here."""
    return Figure(part, name, None, note=f"skipped: data not present ({what})")


def line(figure: Figure) -> str:
    """Return a row as text."""
    value = "-" if figure.value is None else _number(figure.value)
    bar = "" if figure.bar is None else f"{'>=' if figure.at_least else '<='} {_number(figure.bar)}"
    cells = f"  {figure.part:<10} {figure.name:<58} {value:>9} {figure.unit:<3} {bar:<12} {figure.verdict:<6}"
    return f"{cells} {figure.note}".rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
