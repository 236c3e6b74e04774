from __future__ import annotations

from typing import Any

import pytest

from pointsman.telemetry.dashboards.build import (
    Board,
    Panel,
    Query,
    Row,
    increase,
    quantile,
    rate,
    render,
    share_within,
    total,
)


def panel(width: int = 8, height: int = 7, **fields: Any) -> Panel:
    """A panel that shows one thing."""
    values: dict[str, Any] = {"title": "T", "description": "D", "queries": (Query("up"),)}
    return Panel(width=width, height=height, **values | fields)


def places(*rows: Row) -> list[tuple[int, int, int, int]]:
    """Where the panels stand, headings left out."""
    made = render(Board("u", "t", "d", rows))["panels"]
    return [tuple(one["gridPos"].values()) for one in made if one["type"] != "row"]


def test_panels_stand_side_by_side_until_the_row_is_full():
    """The next line begins below the tallest of the last; headings take a line of their own."""
    row = Row("R", (panel(8, 4), panel(8, 7), panel(8, 2), panel(12, 3), panel(16, 5)))
    assert places(row, Row("S", (panel(24, 1),))) == [
        (0, 1, 8, 4),
        (8, 1, 8, 7),
        (16, 1, 8, 2),
        (0, 8, 12, 3),
        (0, 11, 16, 5),
        (0, 17, 24, 1),
    ]


@pytest.mark.parametrize(
    ("warn", "bad", "steps"),
    [
        (None, None, [("green", None)]),
        (0.03, 0.045, [("green", None), ("yellow", 0.03), ("red", 0.045)]),
        (0.97, 0.95, [("red", None), ("yellow", 0.95), ("green", 0.97)]),
        (1, 1, [("green", None), ("yellow", 1), ("red", 1)]),
    ],
)
def test_colours_say_what_is_bad(warn, bad, steps):
    """Where low is bad, red comes first."""
    (_, made) = render(Board("u", "t", "d", (Row("R", (panel(warn=warn, bad=bad),)),)))["panels"]
    thresholds = made["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [(step["color"], step["value"]) for step in thresholds] == steps


def test_words_stand_for_values():
    """A 1 reads as `yes`."""
    (_, made) = render(Board("u", "t", "d", (Row("R", (panel(words=((0, "no"), (0.5, "half"))),)),)))["panels"]
    (mapping,) = made["fieldConfig"]["defaults"]["mappings"]
    assert {value: shown["text"] for value, shown in mapping["options"].items()} == {"0": "no", "0.5": "half"}


def test_expressions_read_as_prometheus_writes_them():
    """Each with the job and instances of the board, over the window that fits its resolution."""
    here = 'job=~"$job",instance=~"$instance"'
    assert rate("x_total", "a", 'b="c"') == f'sum by (a) (rate(x_total{{{here},b="c"}}[$__rate_interval]))'
    assert increase("x_total") == f"sum (increase(x_total{{{here}}}[$__rate_interval]))"
    assert total("x", "a, b", of="max") == f"max by (a, b) (x{{{here}}})"
    assert quantile(0.95, "s", "p") == (
        f"histogram_quantile(0.95, sum by (le, p) (rate(s_bucket{{{here}}}[$__rate_interval])))"
    )
    assert share_within("s", "0.045") == (
        f'sum (rate(s_bucket{{{here},le="0.045"}}[$__rate_interval])) / sum (rate(s_count{{{here}}}[$__rate_interval]))'
    )
