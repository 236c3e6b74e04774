"""`pointsman report`: printed or written, with tests or without, of a router that has a rollout or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from pointsman.cli.exits import ExitCode
from tests.cli.conftest import Command

JUNIT = '<testsuite name="unit"><testcase classname="a" name="b" time="0.5"/></testsuite>'


def test_a_report_of_a_router_without_a_rollout_says_what_was_not_measured(router: Command, service: object) -> None:
    """Every section stands there all the same."""
    ran = router("report")
    assert ran.code == ExitCode.OK
    assert ran.out.startswith("# Deployment report\n")
    titles = [line for line in ran.out.splitlines() if line.startswith("## ")]
    assert len(titles) == 12
    assert "Not measured: tests; no results were given." in ran.out


def test_a_report_is_written_in_the_form_of_its_file(router: Command, tmp_path: Path) -> None:
    """By its name, or as asked for."""
    (tmp_path / "results.xml").write_text(JUNIT, "utf-8")
    ran = router("report", "--output", "r.html", "--tests", "results.xml")
    assert (ran.code, ran.out, ran.err) == (0, "", "written to r.html\n")
    page = (tmp_path / "r.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "<td>unit</td>" in page
    assert router("report", "--output", "r.md").code == 0
    assert (tmp_path / "r.md").read_text("utf-8").startswith("# Deployment report\n")
    assert router("report", "--format", "html").out.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("text", ["no XML", "<a/>", "<!DOCTYPE x []><testsuite/>"])
def test_results_that_cannot_be_read_are_said_before_anything_is_asked(
    command: Command, tmp_path: Path, text: str
) -> None:
    """No report with half of the evidence."""
    (tmp_path / "results.xml").write_text(text, "utf-8")
    ran = command("report", "--tests", "results.xml")
    assert ran.code == ExitCode.USAGE
    assert "results.xml" in ran.err


def test_a_router_that_does_not_answer_is_no_report(command: Command, free_port: int) -> None:
    """The exit code says so."""
    assert command("report", "--url", f"http://127.0.0.1:{free_port}").code == ExitCode.UNREACHABLE
