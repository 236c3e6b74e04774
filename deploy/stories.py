"""Stories of alerts, and the files in which `promtool test rules` reads them.

A story says what was measured, minute by minute, and when the alert must and must not fire. It knows nothing of the
rule's expression, so that a rule that is wrong fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from pointsman.telemetry.alerts import Alert

JOB: Final = 'job="pointsman",instance="router:8080"'
AT: Final = {"job": "pointsman", "instance": "router:8080"}


class Case(msgspec.Struct, frozen=True):
    """One story.

    Attributes:
        alert: whose.
        series: what is measured: a series and its values.
        labels: of the alert while it fires, but for `severity`.
        fires: minutes at which it fires.
        quiet: minutes at which it does not.
    """

    alert: str
    series: tuple[tuple[str, str], ...]
    labels: dict[str, str]
    fires: tuple[int, ...]
    quiet: tuple[int, ...]


def rises(*stretches: tuple[int, float]) -> str:
    """Return a counter that rises so much each minute, for so many minutes each."""
    value = 0.0
    parts = ["0"]
    for minutes, by in stretches:
        parts.append(f"{value + by:g}{by:+g}x{minutes - 1}")
        value += by * minutes
    return " ".join(parts)


def holds(*stretches: tuple[int, float]) -> str:
    """Return a gauge that has such a value, for so many minutes each."""
    return " ".join(f"{value:g}x{minutes - 1}" for minutes, value in stretches)


def flag(name: str, metric: str, labels: dict[str, str], *, on: float = 1.0, off: float = 0.0, lasting: int) -> Case:
    """Return the story of a gauge that is bad for 40 minutes; it fires once that has lasted `lasting` minutes."""
    inside = ",".join(f'{label}="{value}"' for label, value in labels.items())
    series = ((f"{metric}{{{inside}}}", holds((10, off), (40, on), (40, off))),)
    before = (9, 10 + lasting - 1) if lasting > 1 else (9,)
    return Case(name, series, labels, (10 + lasting + 1, 49), (*before, 52))


def files_of_tests(
    alerts: Sequence[Alert], cases: Sequence[Case], coarse: Sequence[str] = ()
) -> dict[str, dict[str, Any]]:
    """Return a file of tests for each alert, by its name.

    Args:
        alerts: all of them.
        cases: their stories.
        coarse: names of those whose stories last hours, in which every five minutes are enough.
    """
    files: dict[str, dict[str, Any]] = {}
    for alert in alerts:
        tests = [_test(alert, case) for case in cases if case.alert == alert.name]
        # Stories of hours are looked at less often, or the tests take a minute.
        step = "5m" if alert.name in coarse else "1m"
        files[alert.name] = {"rule_files": ["../rules.yml"], "evaluation_interval": step, "tests": tests}
    return files


def _test(alert: Alert, case: Case) -> dict[str, Any]:
    firing = {
        "exp_labels": {"severity": alert.severity.value, **case.labels},
        "exp_annotations": {
            "summary": _filled(alert.summary, case.labels),
            "description": _filled(alert.description, case.labels),
            "runbook_url": alert.runbook,
            "dashboard_url": f"/d/{alert.board}",
        },
    }
    moments = {minute: [firing] for minute in case.fires if minute >= 0} | {minute: [] for minute in case.quiet}
    return {
        "interval": "1m",
        "input_series": [{"series": series, "values": values} for series, values in case.series],
        "alert_rule_test": [
            {"eval_time": f"{minute}m", "alertname": alert.name, "exp_alerts": expected}
            for minute, expected in sorted(moments.items())
        ],
    }


def _filled(text: str, labels: dict[str, str]) -> str:
    for label, value in labels.items():
        text = text.replace(f"{{{{ $labels.{label} }}}}", value)
    return text
