"""The page: needs nothing else, lets nothing run, and stands on what it was given."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from pointsman.operations.report import html, markdown
from pointsman.operations.report.model import (
    Bar,
    Bars,
    Block,
    Cell,
    Facts,
    Line,
    Point,
    Report,
    Section,
    Step,
    Steps,
    Table,
    Text,
    Tile,
    Tiles,
    Tone,
)

EVIL = '<script>alert("x")</script><img src=//evil.example onerror=a> |`*_[a](http://b)\u202eabc\x1b[2J\n# head'

BLOCKS: list[Block] = [
    Text(EVIL, Tone.BAD),
    Facts([(EVIL, EVIL), (EVIL, Cell(EVIL, Tone.GOOD))]),
    Table((EVIL, f"#{EVIL}"), [[EVIL, Cell(EVIL, Tone.WARN)]], EVIL, EVIL),
    Table(("a",), [], EVIL),
    Tiles([Tile(EVIL, EVIL, EVIL, Tone.MUTED)]),
    Steps(EVIL, [Step(0.0, 1e6, 0.5, EVIL, Tone.BAD), Step(1e6, 1e6, 1.0, EVIL, Tone.PLAIN)]),
    Bars(EVIL, [Bar(EVIL, 3.0, EVIL, Tone.GOOD), Bar(EVIL, 0.0, EVIL)]),
    Line(EVIL, [Point(0.0, 1.0), Point(1.0, None), Point(2.0, 3.0)], 2.0, (EVIL, EVIL)),
    Line(EVIL, [Point(0.0, None)], None, ("", "")),
    Line(EVIL, [Point(0.0, 1.0)], None, ("high", "low")),
]
REPORT = Report(EVIL, EVIL, [Section(EVIL, BLOCKS)])


class Reader(HTMLParser):
    """Collects elements; every one that is opened must be closed."""

    VOID = frozenset({"meta", "rect", "line", "circle", "polyline"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it; it closes itself."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        """It must be the last that was opened, but for those that close themselves."""
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_nothing_of_what_came_from_elsewhere_acts() -> None:
    """No element, no attribute and no address of its own; nothing that turns writing round or drives a terminal."""
    page = html.write(REPORT)
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert not reader.tags & {"script", "img", "link", "iframe", "object", "form", "base"}
    assert not {name for name in reader.attributes if name.startswith("on") or name in {"src", "srcset"}}
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert set(re.findall(r'href="([^"]*)"', page)) == {"#" + html._anchor(REPORT.sections[0])}


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """And says so to the browser."""
    page = html.write(Report("t", "s", [Section("One", BLOCKS[4:6])]))
    assert "default-src 'none'" in page
    assert "@import" not in page
    assert "url(" not in page
    assert "prefers-color-scheme: dark" in page


def test_markdown_lets_nothing_act_either() -> None:
    """No markup, no cell that ends a cell, no line that begins a heading."""
    text = markdown.write(REPORT)
    bare = re.sub(r"\\.", "", text)
    assert "<" not in bare
    assert "[" not in bare
    assert "`" not in bare
    assert "\x1b" not in text
    assert "\u202e" not in text
    heads = [line for line in text.splitlines() if line.startswith("#")]
    assert len(heads) == 2
    tables = [line for line in bare.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} <= {3, 4}


def test_bars_are_against_the_largest() -> None:
    """A small one is still seen; nothing is no bar."""
    page = html._block(Bars("b", [Bar("a", 1000.0, "1,000"), Bar("c", 1.0, "1"), Bar("d", 0.0, "0")]))
    assert re.findall(r"width:([0-9.]+)%", page) == ["100.0", "0.4", "0.0"]


def test_a_gap_in_a_line_is_a_gap() -> None:
    """No line is drawn through hours of which nobody knows."""
    points = [Point(0.0, 1.0), Point(1.0, 2.0), Point(2.0, None), Point(3.0, 1.0)]
    page = html._block(Line("l", points, None, ("2", "1")))
    assert page.count("<polyline") == 2
    assert "not measured" in html._block(Line("l", [Point(0.0, None)], None, ("", "")))
