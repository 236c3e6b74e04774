"""`pointsman slo`: figures in short, a bar of what is left, and an exit code that scripts can branch on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pointsman.cli import slo
from pointsman.cli.client import Client
from pointsman.cli.exits import ExitCode
from tests.cli.conftest import Command, prepare, serving
from tests.operations.report.evidence import answers


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a router answers; a test may change it."""
    answer: dict[str, Any] = answers()["/api/v1/slo"]
    monkeypatch.setattr(Client, "get", lambda self, path, **query: answer)
    return answer


def test_a_router_that_has_only_just_begun_has_not_enough_data(router: Command) -> None:
    """Nothing is met; the exit code says so."""
    ran = router("slo")
    assert ran.code == ExitCode.WARNING
    lines = ran.out.splitlines()
    assert lines[0].startswith("since ")
    assert lines[1].split()[:3] == ["OBJECTIVE", "BAR", "OBSERVED"]
    assert [line.split()[0] for line in lines[2:12]] == [
        *("overhead", "classification", "routing", "success", "errors", "availability"),
        *("security", "rollback", "health", "memory"),
    ]
    assert "not measured" in lines[9]
    assert json.loads(router("slo", "-o", "json", "--window", "1h").out)["window_s"] == 3600.0


@pytest.mark.parametrize(
    ("verdict", "code"),
    [("met", ExitCode.OK), ("missed", ExitCode.FAILED), ("not_measured", ExitCode.WARNING)],
)
def test_the_verdict_is_the_exit_code(command: Command, found: dict[str, Any], verdict: str, code: ExitCode) -> None:
    """For people and for programs, and of the report too."""
    found["verdict"] = verdict
    for arguments in (("slo",), ("slo", "-o", "json"), ("slo", "report")):
        assert command(*arguments).code == code


def test_each_objective_is_a_row(command: Command, found: dict[str, Any]) -> None:
    """Bar, figure, number, coverage, budget, burn, verdict."""
    lines = {line.split()[0]: line for line in command("slo").out.splitlines()[1:-1]}
    assert "p95 <= 45.0 ms" in lines["overhead"]
    assert "74.1 % within; p95 84.3 ms, mean 32.3 ms, live 56.8 ms" in lines["overhead"]
    assert "░░░░░░░░░░ -418 %" in lines["overhead"]
    assert lines["overhead"].endswith("missed")
    assert "> 98.5 %" in lines["success"]
    assert "99.98 %" in lines["success"]
    assert "██████████ 99 %" in lines["success"]
    assert lines["success"].endswith("met")
    assert "< 1.5 %" in lines["errors"]
    assert "59.6 s" in lines["rollback"]
    assert ">= 100.0 %" in lines["health"]
    assert "61.0 MB" in lines["memory"]
    assert lines["memory"].endswith("shown")
    assert "refused on purpose, no outage: 0" in command("slo").out


def test_what_is_wrong_with_the_journal_is_said(command: Command, found: dict[str, Any]) -> None:
    """On standard error; the figures are shown all the same."""
    found["alarm"] = "3 lines cannot be read"
    ran = command("slo")
    assert "3 lines cannot be read" in ran.err
    assert "overhead" in ran.out
    assert "3 lines cannot be read" in command("slo", "report").out


def test_a_report_is_markdown_with_the_past(command: Command, found: dict[str, Any]) -> None:
    """By day, or by hour."""
    out = command("slo", "report", "--by", "hour").out
    assert out.startswith("# Service levels\n\nMissed, written ")
    assert "## By hour" in out
    assert "interpolated between the bounds of a histogram" in out
    assert "| overhead | 45 ms | 32.3 ms |" in out
    assert "Refused under load, or without a worker (no outage)" in out


@pytest.mark.parametrize("window", ["x", "1", "30s", "31d", "-1h", "1.5h"])
def test_a_window_has_bounds(command: Command, window: str) -> None:
    """A minute to 30 days."""
    ran = command("slo", "--window", window)
    assert ran.code == ExitCode.USAGE
    assert "such as 90m, 6h or 7d" in ran.err


def test_a_share_near_all_is_not_all() -> None:
    """Nor is one near nothing nothing."""
    shares = [1.0, 0.99996, 0.9999999, 0.0, 0.0004, 0.0000001, 0.5]
    assert [slo._share(one) for one in shares] == [
        *("100.0 %", "99.996 %", "> 99.999 %", "0.0 %", "0.04 %", "< 0.001 %", "50.0 %")
    ]


def test_a_service_remembers_its_figures_over_a_restart(command: Command, tmp_path: Path) -> None:
    """In the journal beside its settings; the time in which it did not run is not covered."""
    prepare(tmp_path)
    for count in (1, 2):
        with serving(tmp_path) as (url, _, _):
            assert command("send", "fix it", "--url", url).code == 0
            found = json.loads(command("slo", "-o", "json", "--url", url).out)
            success = next(level for level in found["levels"] if level["name"] == "success")
            assert success["n"] == count
            assert found["alarm"] == ""
            assert Path(found["journal"]).name == "slo.jsonl"
    assert (tmp_path / "var/slo.jsonl").read_text("utf-8").count('"delivered":1') == 2
