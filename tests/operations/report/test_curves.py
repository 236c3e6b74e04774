from __future__ import annotations

import re
from xml.etree import ElementTree

from pointsman.operations.report import curves, html, markdown
from pointsman.operations.report.model import Curve, Heat, Report, Section, Series

CURVE = Curve(
    "How often <it> is right",
    ("how sure", "how often"),
    (0.0, 1.0),
    (0.5, 1.0),
    [
        Series("this & that", [(0.2, 0.5), (1.0, 1.0)]),
        Series("as it should be", [(0.0, 0.5), (1.0, 1.0)], is_guide=True),
    ],
    notes=["3 messages", "1 message"],
)
HEAT = Heat("Right and found", "right", ["a", "<b>"], [[3, 1], [0, 4]])


def spots(text: str) -> list[tuple[float, float]]:
    """Where the points of a chart lie."""
    return [(float(x), float(y)) for x, y in re.findall(r'<circle[^>]* cx="([\d.]+)" cy="([\d.]+)"', text)]


def test_points_lie_where_their_figures_say():
    """The highest at the top right, the lower one further down and left by its share of the width."""
    (x_low, y_low), (x_high, y_high) = spots(curves.curve(CURVE))
    assert (x_high, y_low > y_high) == (538.0, True)
    assert x_low == 56.0 + 0.2 * (538.0 - 56.0)
    assert (y_high, y_low) == (26.0, 286.0)


def test_a_guide_has_no_points_and_every_line_a_name():
    """Two points are those of the first line."""
    text = curves.curve(CURVE)
    assert len(spots(text)) == 2
    assert text.count('class="guide"') == 2
    assert "this &amp; that" in text
    assert "<title>20 %: 50.0 %, 3 messages</title>" in text


def test_a_chart_is_well_formed_and_escaped():
    """Whatever its names hold."""
    for text in (curves.curve(CURVE), curves.heat(HEAT)):
        ElementTree.fromstring(text)
        assert "<it>" not in text
        assert "<b>" not in text


def test_counts_are_marked_where_they_lie():
    """Not as shares of a hundred."""
    text = curves.curve(
        Curve("t", ("rows", "accuracy"), (0, 2_000), (0, 1), [Series("m", [(500, 0.5), (2_000, 0.9)])], True)
    )
    assert ">500</text>" in text
    assert ">2,000</text>" in text


def test_heat_is_each_cells_share_of_its_row():
    """Rightly found ones are marked as such; an empty row divides by nothing."""
    text = curves.heat(HEAT)
    assert re.findall(r'class="(\w+)" style="--heat:([\d.]+)">([\d,]+)', text) == [
        ("hit", "0.750", "3"),
        ("miss", "0.250", "1"),
        ("miss", "0.000", "0"),
        ("hit", "1.000", "4"),
    ]
    assert "--heat:0.000" in curves.heat(Heat("t", "c", ["a"], [[0]]))


def test_a_document_holds_the_figures_of_the_pictures():
    """A table for each line that is no guide, and one for the counts."""
    report = Report("t", "s", [Section("one", [CURVE, HEAT])])
    text = markdown.write(report)
    assert "| how sure | how often | this & that |" in text
    assert "| 20.0 % | 50.0 % | 3 messages |" in text
    assert "as it should be" not in text
    assert "| right | a | \\<b\\> |" in text
    assert "| a | 3 | 1 |" in text
    assert "svg" in html.write(report)
