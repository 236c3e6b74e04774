from __future__ import annotations

import re
from pathlib import Path

import pytest

from pointsman.model.settings_operations import ObjectiveSettings
from pointsman.telemetry.alert_table import ABSTAIN_SHARE_MAX, alerts
from pointsman.telemetry.alerts import BOARDS, Severity, burn_alerts, rules_file
from pointsman.telemetry.dashboards import BOARDS as DASHBOARDS
from pointsman.telemetry.rules import Windows

ROOT = Path(__file__).parents[2]
ALL = [*burn_alerts(ObjectiveSettings(), Windows()), *alerts(Windows())]


@pytest.mark.parametrize("alert", ALL, ids=lambda alert: alert.name)
def test_an_alert_says_what_it_means_and_what_to_do(alert):
    """A runbook of its own name with three headings, a board that exists, and labels that its result has."""
    assert re.fullmatch(r"Pointsman[A-Z][A-Za-z]+", alert.name)
    assert alert.summary
    assert alert.description.endswith(".")
    text = (ROOT / alert.runbook).read_text("utf-8")
    assert text.startswith(f"# {alert.name}\n")
    assert all(f"\n## {heading}\n" in text for heading in ("Look", "Do", "It is over when"))
    assert alert.board in {board.uid for board in DASHBOARDS}
    for label in re.findall(r"\$labels\.(\w+)", alert.summary + alert.description):
        aggregated = re.search(r"by \(([^)]*)\)", alert.expr)
        assert label in {"instance", "job"} or (aggregated and label in aggregated[1].split(", "))


def test_names_are_unique_and_no_runbook_is_left_over():
    """A runbook without an alert is never opened."""
    names = [alert.name for alert in ALL]
    assert len(set(names)) == len(names) >= 12
    pages = {page.stem for page in (ROOT / "docs" / "runbooks").glob("*.md")} - {"README"}
    assert pages == set(names)


def test_each_service_level_has_a_page_and_a_ticket():
    """Fast burns wake somebody, slow ones wait."""
    found = {(alert.name, alert.severity) for alert in burn_alerts(ObjectiveSettings(), Windows())}
    assert found == {
        (f"Pointsman{level}Burn{speed}", severity)
        for level in ("Errors", "Overhead", "Availability")
        for speed, severity in (("Fast", Severity.PAGE), ("Slow", Severity.TICKET))
    }


def test_the_file_has_what_alertmanager_and_people_need():
    """Severity, summary, description, runbook and board of each."""
    groups = rules_file(alerts(Windows()), ObjectiveSettings(), Windows(), runbooks="https://x/", grafana="https://g")
    rules = groups["groups"][1]["rules"]
    assert len(rules) == len(ALL)
    for rule, alert in zip(rules, ALL, strict=True):
        assert rule["labels"] == {"severity": alert.severity.value}
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url", "dashboard_url"}
        assert rule["annotations"]["runbook_url"] == f"https://x/{alert.runbook}"
        assert rule["annotations"]["dashboard_url"] == f"https://g{BOARDS}{alert.board}"


def test_the_share_of_abstained_messages_is_what_the_product_promises():
    """30 of 100."""
    assert ABSTAIN_SHARE_MAX == 0.30
