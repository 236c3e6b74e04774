"""Alert rules as plain data, and the file that Prometheus reads them from.

Decides how an alert looks: what it is called, how urgent it is, where its runbook and its board are. Which there are
stands in `alert_table`, and which share of bad events is too much in `rules`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from pointsman.model.settings_operations import ObjectiveSettings
from pointsman.telemetry.rules import Windows, burning, indicators, recordings

RUNBOOKS: Final = "docs/runbooks/"
"""Where the runbooks are, from the root of the project; a deployment may put its own address before it."""

BOARDS: Final = "/d/"
"""Where the boards are, from the address of Grafana."""


class Severity(StrEnum):
    """Whom an alert calls: somebody now, somebody in working hours."""

    PAGE = "page"
    TICKET = "ticket"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert.

    Attributes:
        name: stable; its runbook has the same name.
        expr: PromQL; it fires while that has a result.
        lasting: for how long it must have one first.
        severity: see `Severity`.
        summary: one line; labels of the result may stand in it.
        description: what it means and what happens if nobody acts.
        board: uid of the board to look at.
    """

    name: str
    expr: str
    lasting: str = "0s"
    severity: Severity = Severity.TICKET
    summary: str
    description: str
    board: str = "pointsman-overview"

    @property
    def runbook(self) -> str:
        """File of its runbook, from the root of the project."""
        return f"{RUNBOOKS}{self.name}.md"


def burn_alerts(objectives: ObjectiveSettings, windows: Windows) -> list[Alert]:
    """Return a page and a ticket for each service level whose error budget burns."""
    words = {
        "errors": ("Messages die or expire", "Messages that ended dead or expired use up the error budget"),
        "overhead": ("The router is slow", "Messages to which the router adds more than the bar use up the budget"),
        "availability": ("The router refuses by its own fault", "Refusals by the router's own fault use up the budget"),
    }
    made = []
    for one in indicators(objectives):
        short, long = words[one.name]
        for severity, speeds, times in (
            (Severity.PAGE, windows.page, "much"),
            (Severity.TICKET, windows.ticket, "somewhat"),
        ):
            made.append(
                Alert(
                    name=f"Pointsman{one.name.capitalize()}Burn{'Fast' if severity is Severity.PAGE else 'Slow'}",
                    expr=burning(one, speeds, windows.min_events),
                    severity=severity,
                    summary=f"{short}: the budget of {one.name} is used up {times} too fast",
                    description=f"{long}, {one.budget_share * 100:g} % of the window of the objective, {times} faster "
                    "than promised. Seen over a long and a short window, so it goes on.",
                )
            )
    return made


def rules_file(
    alerts: Sequence[Alert],
    objectives: ObjectiveSettings,
    windows: Windows,
    *,
    runbooks: str = "",
    grafana: str = "",
) -> dict[str, Any]:
    """Return the rules as Prometheus reads them.

    Args:
        alerts: those beside the ones on burn rates.
        objectives: what is promised.
        windows: over which burn rates are looked at.
        runbooks: what comes before the name of a runbook's file, such as the address of the repository.
        grafana: what comes before the address of a board.
    """
    every = [*burn_alerts(objectives, windows), *alerts]
    return {
        "groups": [
            {"name": "pointsman-service-levels", "rules": recordings(indicators(objectives), windows)},
            {"name": "pointsman-alerts", "rules": [_rule(alert, runbooks, grafana) for alert in every]},
        ]
    }


def _rule(alert: Alert, runbooks: str, grafana: str) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.lasting,
        "labels": {"severity": alert.severity.value},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": runbooks + alert.runbook,
            "dashboard_url": f"{grafana}{BOARDS}{alert.board}",
        },
    }
