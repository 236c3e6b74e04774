from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pointsman.operations.learning.course import Course, Wanted, train
from pointsman.operations.learning.report import compose, write
from tests.training.rows import as_lines, messages, outcomes, topics

EVIL = '<script>alert(1)</script> rename | `fix` "add" run\n# delete write change update button test file'


def taught(rows, **wanted) -> Course:
    """What comes of a training on these rows."""
    return train(as_lines(rows), None, Wanted(made="2030-01-01T00:00:00Z", made_by="1", **wanted))


@pytest.fixture(scope="module")
def labels() -> Course:
    """A training by labels, one message of which is hostile."""
    return taught([*messages(160), {"text": EVIL, "label": "strategic", "group": "evil"}])


@pytest.fixture(scope="module")
def gains() -> Course:
    """A training by outcomes."""
    return taught(outcomes(300), target="outcome")


class Page(HTMLParser):
    """Whether every element is closed, what refers to elsewhere, and how many pictures there are."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elsewhere: list[str] = []
        self.pictures = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.pictures += tag == "svg"
        if tag not in self.VOID:
            self.open.append(tag)
        self.elsewhere += [
            f"{name}={value}" for name, value in attrs if name in {"src", "href"} and not (value or "").startswith("#")
        ]
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_of(course: Course, directory: Path) -> tuple[str, Page]:
    """The page, and what was found in it."""
    path = directory / "report.html"
    write(course, path, "mine.json")
    text = path.read_text("utf-8")
    page = Page()
    page.feed(text)
    return text, page


def test_a_page_needs_nothing_from_elsewhere_and_runs_nothing(labels: Course, tmp_path: Path):
    """Text of messages stays text, every element is closed, and there are three curves."""
    text, page = page_of(labels, tmp_path)
    assert (page.open, page.elsewhere, page.pictures) == ([], [], 3)
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_both_forms_say_the_same(labels: Course, tmp_path: Path):
    """Baselines, classes, confusion, mistakes, facts and what to do with the model."""
    write(labels, tmp_path / "report.md", "mine.json")
    document = (tmp_path / "report.md").read_text("utf-8")
    text, _ = page_of(labels, tmp_path)
    for form in (document, text):
        for words in ("majority", "length", "rules", "strategic", "calibration error", labels.data["sha256"]):
            assert words in form
        assert "pointsman model use mine.json" in form
    titles = re.findall(r"^## (.*)$", document, re.MULTILINE)
    assert titles == re.findall(r"<h2>(.*?)</h2>", text)
    assert len(titles) == 9
    assert "\\<script\\>" in document


def test_the_confusion_adds_up(labels: Course):
    """Each message stands in the row of its right class."""
    section = next(section for section in compose(labels).sections if section.title == "What it takes for what")
    heat: Any = section.blocks[0]
    assert [sum(row) for row in heat.counts] == [labels.figures["per_class"][name]["n"] for name in heat.names]
    right = sum(heat.counts[at][at] for at in range(2))
    assert right / labels.figures["n"] == pytest.approx(labels.figures["accuracy"], abs=1e-6)


def test_of_many_classes_the_frequent_mistakes_and_the_worst_classes_are_shown(tmp_path: Path):
    """A hundred by a hundred tells nobody anything."""
    course = taught(topics(100, 4), pieces=False)
    sections: dict[str, Any] = {section.title: section.blocks for section in compose(course).sections}
    assert len(sections["Classes"][0].rows) == 60
    assert len(sections["What it takes for what"][0].rows) <= 20
    _, page = page_of(course, tmp_path)
    assert page.open == []


def test_outcomes_show_what_is_recovered(gains: Course, tmp_path: Path):
    """A curve from the weak worker to the strong one, and the figure for groups it has not seen."""
    text, page = page_of(gains, tmp_path)
    assert page.pictures == 4
    assert "What it recovers" in text
    assert "in groups it has not seen" in text
    assert "What it takes for what" not in text


def test_a_model_that_is_not_better_is_said_to_be_useless(tmp_path: Path):
    """First of all."""
    rows = [{**one, "label": "strategic" if at * 7919 % 11 < 7 else "tactical"} for at, one in enumerate(messages(150))]
    text, _ = page_of(taught(rows), tmp_path)
    assert "not better" in text
    assert "do not use it" in text


def test_the_same_course_gives_the_same_page(labels: Course, tmp_path: Path):
    """No clock, no chance."""
    assert page_of(labels, tmp_path)[0] == page_of(labels, tmp_path)[0]
