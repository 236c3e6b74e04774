"""What is committed below deploy/ is what the tables say, and Prometheus' own tool finds nothing wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml as reader  # type: ignore[import-untyped]

from deploy.alert_cases import CASES
from deploy.generate import HERE, files, yaml
from pointsman.model.settings_operations import ObjectiveSettings
from pointsman.telemetry.alert_table import alerts
from pointsman.telemetry.alerts import burn_alerts
from pointsman.telemetry.rules import Windows
from tests.deploy.instruments import needs_instruments, promtool

GENERATED = files()
ALERTS = [*burn_alerts(ObjectiveSettings(), Windows()), *alerts(Windows())]


def committed() -> set[str]:
    """Files in the places that belong to the generator."""
    places = ("prometheus/rules.yml", "prometheus/tests/*", "grafana/dashboards/*")
    return {path.relative_to(HERE).as_posix() for place in places for path in HERE.glob(place)}


def test_nothing_is_stale():
    """Every file is there as the tables say, and no other: else run `python deploy/generate.py`."""
    assert committed() == set(GENERATED)
    stale = [name for name, text in GENERATED.items() if (HERE / name).read_text("utf-8") != text]
    assert stale == [], "run `python deploy/generate.py`"


@pytest.mark.parametrize("name", [name for name in GENERATED if name.endswith(".yml")])
def test_our_yaml_means_what_it_was_made_of(name):
    """A real parser reads it, and written again it is the same."""
    text = GENERATED[name]
    assert text.endswith(yaml(reader.safe_load(text)))


def test_odd_texts_survive_as_yaml():
    """Quotes, colons, line ends, empty lists, nested lists."""
    odd = {"a": "x: \"y\" 'z' #\n- %{{ }}", "b": [], "c": [{"d": [1, "no"], "e": {}}, "~"], "f": {"g": None}}
    assert reader.safe_load(yaml(odd)) == odd


def test_addresses_come_before_the_paths_of_runbooks_and_boards():
    """So that whoever is called can follow them."""
    text = files("https://example.org/", "https://boards.example.org")["prometheus/rules.yml"]
    assert '"https://example.org/docs/runbooks/PointsmanDown.md"' in text
    assert '"https://boards.example.org/d/pointsman-overview"' in text


@needs_instruments
def test_prometheus_takes_the_rules():
    """Its own checker."""
    code, said = promtool("check", "rules", str(HERE / "prometheus" / "rules.yml"))
    assert code == 0, said


@needs_instruments
@pytest.mark.parametrize("alert", [alert.name for alert in ALERTS])
def test_each_alert_is_quiet_fires_and_ends_as_its_stories_say(alert):
    """By Prometheus' own simulation of hours."""
    code, said = promtool("test", "rules", str(HERE / "prometheus" / "tests" / f"{alert}.yml"))
    assert code == 0, said


@pytest.mark.parametrize("alert", [alert.name for alert in ALERTS])
def test_each_alert_has_a_story_that_begins_and_ends_quietly(alert):
    """Quiet before it fires, and quiet again after."""
    assert any(
        case.fires and case.quiet and min(case.quiet) < min(case.fires) and max(case.quiet) > max(case.fires)
        for case in CASES
        if case.alert == alert
    )


@needs_instruments
def test_a_rule_that_asks_for_another_metric_fails_its_story(tmp_path: Path):
    """The stories can fail."""
    (tmp_path / "tests").mkdir()
    wrong = GENERATED["prometheus/rules.yml"].replace("pointsman_rollout_locked", "pointsman_rollout_looked")
    (tmp_path / "rules.yml").write_text(wrong, "utf-8")
    name = "tests/PointsmanRolloutLocked.yml"
    (tmp_path / name).write_text(GENERATED[f"prometheus/{name}"], "utf-8")
    code, said = promtool("test", "rules", str(tmp_path / name))
    assert code == 1
    assert "PointsmanRolloutLocked" in said


def test_boards_are_json_that_grafana_reads():
    """With the address that links in alerts lead to."""
    boards = {name: json.loads(text) for name, text in GENERATED.items() if name.endswith(".json")}
    assert {Path(name).stem for name in boards} == {board["uid"] for board in boards.values()}
    assert {alert.board for alert in ALERTS} <= {board["uid"] for board in boards.values()}
