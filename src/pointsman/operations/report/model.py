"""A report as both writers see it: sections of paragraphs, facts, tables, tiles and charts. Nothing here is markup.

A chart repeats figures of a table or carries its own: a writer that cannot draw writes them down, so both forms have
the same content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Tone(StrEnum):
    """How a figure is to be taken."""

    PLAIN = ""
    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    MUTED = "muted"


class Cell(NamedTuple):
    """A figure or word with its tone."""

    text: str
    tone: Tone = Tone.PLAIN


Value = str | Cell


@dataclass(slots=True, frozen=True)
class Text:
    """A paragraph."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(slots=True, frozen=True)
class Facts:
    """Names and values, one pair a line."""

    rows: Sequence[tuple[str, Value]]


@dataclass(slots=True, frozen=True)
class Table:
    """A table.

    Attributes:
        columns: headings; those that begin with `#` hold figures and stand to the right, without that sign.
        rows: cells.
        empty: what is said in its place where there is no row.
        caption: one sentence above it.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]
    empty: str = "Nothing."
    caption: str = ""


class Tile(NamedTuple):
    """One figure to be seen first."""

    name: str
    value: str
    note: str
    tone: Tone


@dataclass(slots=True, frozen=True)
class Tiles:
    """The figures to be seen first."""

    tiles: Sequence[Tile]


class Step(NamedTuple):
    """A stretch of time on one level (0..1) of a step chart."""

    since: float
    until: float
    level: float
    name: str
    tone: Tone


@dataclass(slots=True, frozen=True)
class Steps:
    """A chart of levels over time."""

    title: str
    steps: Sequence[Step]


class Bar(NamedTuple):
    """One bar: what, how much, and that in words."""

    name: str
    value: float
    text: str
    tone: Tone = Tone.PLAIN


@dataclass(slots=True, frozen=True)
class Bars:
    """A chart of bars against the largest of them."""

    title: str
    bars: Sequence[Bar]


class Point(NamedTuple):
    """A figure at a time; None where it was not measured."""

    at: float
    value: float | None


@dataclass(slots=True, frozen=True)
class Line:
    """A chart of a figure over time.

    Attributes:
        title: what it shows, with its unit.
        points: oldest first.
        bar: the objective, drawn across; None for none.
        texts: highest and lowest figure in words; empty where nothing was measured.
    """

    title: str
    points: Sequence[Point]
    bar: float | None
    texts: tuple[str, str]


class Series(NamedTuple):
    """One line of a `Curve`: its name, its points from left to right, and whether it is drawn as a guide only."""

    name: str
    points: Sequence[tuple[float, float]]
    is_guide: bool = False


@dataclass(slots=True, frozen=True)
class Curve:
    """A chart of one figure against another.

    Attributes:
        title: what it shows.
        axes: what runs along and up.
        along: lowest and highest figure along.
        up: lowest and highest figure up; always shares, 0..1.
        series: lines, at least one.
        counts_along: figures along are counts; else shares.
        notes: a word to each point of the first line, or empty.
    """

    title: str
    axes: tuple[str, str]
    along: tuple[float, float]
    up: tuple[float, float]
    series: Sequence[Series]
    counts_along: bool = False
    notes: Sequence[str] = ()


@dataclass(slots=True, frozen=True)
class Heat:
    """A square table of counts, each cell coloured by its share of its row; the diagonal is what should be.

    Attributes:
        title: what it shows.
        corner: what rows and columns are.
        names: of rows and of columns.
        counts: row by row.
    """

    title: str
    corner: str
    names: Sequence[str]
    counts: Sequence[Sequence[int]]


Block = Text | Facts | Table | Tiles | Steps | Bars | Line | Curve | Heat


@dataclass(slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: list[Block] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """A whole report."""

    title: str
    subtitle: str
    sections: list[Section]
