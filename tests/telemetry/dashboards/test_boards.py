"""Rules for boards after Grafana's dashboard-linter; every metric is shown somewhere, and what is shown exists."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from pointsman.cli.start import root as commands
from pointsman.model.settings_operations import ObjectiveSettings
from pointsman.telemetry.alert_table import alerts
from pointsman.telemetry.alerts import burn_alerts
from pointsman.telemetry.dashboards import BOARDS, render
from pointsman.telemetry.metric import Kind
from pointsman.telemetry.names import BY_NAME, METRICS
from pointsman.telemetry.rules import Windows, indicators, recordings

DOCS = Path(__file__).parents[3] / "docs"
RENDERED = [render(board) for board in BOARDS]
PANELS = [
    pytest.param(panel, id=f"{board['uid']}: {panel['title']}")
    for board in RENDERED
    for panel in board["panels"]
    if panel["type"] != "row"
]
METRIC = re.compile(r"\b(?:pointsman|process)_[a-z_]+\b")


def family(name: str) -> str:
    """The metric that a name in an expression belongs to."""
    return name if name in BY_NAME else re.sub(r"_(bucket|count|sum)$", "", name)


def families(text: str) -> set[str]:
    """Metrics that an expression asks for."""
    return {family(name) for name in METRIC.findall(text)}


@pytest.mark.parametrize("board", RENDERED, ids=lambda board: board["uid"])
def test_a_board_fits_any_prometheus_and_nobody_edits_it_by_hand(board: dict[str, Any]):
    """Data source, job and instances are variables; ids are unique; panels neither overlap nor stick out."""
    assert [one["name"] for one in board["templating"]["list"]] == ["datasource", "job", "instance"]
    assert not board["editable"]
    assert all(one.get("refresh", 2) == 2 for one in board["templating"]["list"])
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    boxes = [panel["gridPos"] for panel in board["panels"]]
    assert all(box["x"] >= 0 and box["x"] + box["w"] <= 24 for box in boxes)
    for one, other in combinations(boxes, 2):
        apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_x or apart_y


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_shows_and_asks_for_it_rightly(panel: dict[str, Any]):
    """Title, description, unit; data source, job and instances are the board's; windows are `$__rate_interval`."""
    assert panel["type"] in {"timeseries", "stat", "bargauge", "state-timeline"}
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"]["uid"] == "${datasource}"
    assert panel["targets"]
    for target in panel["targets"]:
        expr = target["expr"]
        assert target["datasource"]["uid"] == "${datasource}"
        assert set(re.findall(r"\[([^]]+)\]", expr)) <= {"$__rate_interval"}
        selectors = re.findall(METRIC.pattern + r"(\{[^}]*\})?", expr)
        assert all('job=~"$job",instance=~"$instance"' in selector for selector in selectors)
        for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
            assert re.search(rf"by \([^)]*\b{label}\b", expr), label


@pytest.mark.parametrize("panel", PANELS)
def test_counters_are_shown_as_rates_or_sums(panel: dict[str, Any]):
    """The bare value of a counter says when the router was restarted."""
    for target in panel["targets"]:
        for name in families(target["expr"]):
            if BY_NAME[name].kind in {Kind.COUNTER, Kind.HISTOGRAM}:
                assert re.search(rf"(rate|increase)\({name}|sum( by \([^)]*\))? \({name}", target["expr"])


def exprs() -> list[str]:
    """Every expression of boards, alerts and recording rules."""
    windows, objectives = Windows(), ObjectiveSettings()
    found = [query.expr for board in BOARDS for row in board.rows for panel in row.panels for query in panel.queries]
    found += [alert.expr for alert in (*alerts(windows), *burn_alerts(objectives, windows))]
    return found + [rule["expr"] for rule in recordings(indicators(objectives), windows)]


def test_every_metric_is_on_a_board_or_in_an_alert():
    """What nobody looks at need not be measured."""
    used = {name for expr in exprs() for name in families(expr)}
    assert {metric.name for metric in METRICS} - used == set()


def test_every_metric_that_is_asked_for_exists():
    """A name with a letter wrong shows an empty panel, and an alert that never fires."""
    assert {name for expr in exprs() for name in families(expr)} <= set(BY_NAME)


def test_every_metric_that_the_documentation_names_exists():
    """Pages that are written by hand; the rest is generated."""
    for page in DOCS.rglob("*.md"):
        named = {family(name) for name in re.findall(r"\bpointsman_[a-z_]+[a-z]\b", page.read_text("utf-8"))}
        assert named - set(BY_NAME) - NOT_METRICS == set(), page


NOT_METRICS: set[str] = set()
"""Words of the documentation that look like metrics."""


def test_service_levels_show_both_the_p95_and_the_exact_share():
    """A quantile is as exact as its buckets; the share up to the bar is exact."""
    tiles = RENDERED[0]["panels"][1:7]
    shown = [tile["targets"][0]["expr"] for tile in tiles]
    assert any("histogram_quantile(0.95" in expr and "pointsman_overhead_seconds" in expr for expr in shown)
    assert any("pointsman_overhead_seconds_bucket" in expr and 'le="0.045"' in expr for expr in shown)


def test_commands_in_runbooks_exist():
    """Whoever is called at night types what stands there; groups, commands and options."""
    for page in (DOCS / "runbooks").glob("*.md"):
        for words in re.findall(r"`pointsman ([a-z][^`]*)`", page.read_text("utf-8")):
            command: Any = commands
            for word in words.split():
                if word.startswith("-"):
                    assert any(word in option.opts for option in command.params), f"{page.name}: pointsman {words}"
                    break
                if not hasattr(command, "get_command"):
                    assert not word.islower(), f"{page.name}: pointsman {words}"
                    continue
                command = command.get_command(None, word)
                assert command is not None, f"{page.name}: pointsman {words}"
