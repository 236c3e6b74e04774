from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.classification import clinc, command, outcomes
from benchmarks.classification.figures import Figure, line
from benchmarks.classification.robust import _typos


@pytest.mark.parametrize(
    ("value", "bar", "at_least", "verdict"),
    [
        (0.93, 0.92, True, "ok"),
        (0.91, 0.92, True, "MISSED"),
        (0.02, 0.03, False, "ok"),
        (0.04, 0.03, False, "MISSED"),
        (0.5, None, False, ""),
        (None, 0.5, True, ""),
    ],
)
def test_a_bar_holds_in_its_direction(value: float | None, bar: float | None, at_least: bool, verdict: str):
    """A figure that was not measured, and one without a bar, is neither."""
    assert Figure("part", "name", value, bar, at_least).verdict == verdict


def test_a_row_shows_figure_bar_and_verdict():
    """And a note where there is one."""
    text = line(Figure("cost", "40 characters", 21.234, 40.0, unit="us", note="warm"))
    assert text.split() == ["cost", "40", "characters", "21.23", "us", "<=", "40", "ok", "warm"]


def test_without_the_data_of_others_their_rows_say_so(tmp_path: Path):
    """Nothing fails, and nothing is called held."""
    found = [*clinc.measure(tmp_path), *outcomes.measure(tmp_path)]
    assert [one.part for one in found] == ["CLINC150", "outcomes", "outcomes"]
    assert all(one.verdict == "" and "skipped: data not present" in line(one) for one in found)


def _given(figures: list[Figure], data: Path) -> Iterator[Figure]:
    return iter(figures)


def test_a_missed_bar_ends_with_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """So that a pipeline stops there."""
    rows = {"good": [Figure("a", "b", 1.0, 2.0)], "bad": [Figure("a", "b", 3.0, 2.0)]}
    for name in ("cost", "robust"):
        part_rows = rows["bad" if name == "cost" else "good"]
        monkeypatch.setitem(command.PARTS, name, partial(_given, part_rows))
    for part, code in (("cost", 1), ("robust", 0)):
        ran = CliRunner().invoke(command.main, [part, "--data", str(tmp_path)])
        assert ran.exit_code == code
        assert ("1 missed" in ran.output) is (code == 1)


def test_a_typo_changes_one_word_in_eight_and_always_the_same_way():
    """Short words are left alone, so that a text of none stays as it is."""
    text = "please compare both storage engines before anybody writes another migration script for production servers"
    changed = _typos(text)
    differ = [one for one, other in zip(text.split(), changed.split(), strict=True) if one != other]
    assert len(differ) == 1
    assert _typos(text) == changed
    assert _typos("a b c") == "a b c"
