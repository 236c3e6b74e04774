"""JUnit files of several makers, and files that only look like one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pointsman.model.errors import UsageError
from pointsman.operations.report import junit
from pointsman.operations.report.junit import Suite

TWO = """<?xml version="1.0" encoding="utf-8"?>
<testsuites>
 <testsuite name="unit" tests="99" failures="0">
  <testcase classname="tests.a" name="one" time="1,000.5"/>
  <testcase classname="tests.a" name="two" time="x"><failure message="no"/></testcase>
  <testcase classname="tests.a" name="three"><skipped/></testcase>
 </testsuite>
 <testsuite><testcase name="four" time="2"><error/></testcase></testsuite>
 <testsuite name="empty"/>
</testsuites>
"""


def read(tmp_path: Path, text: str) -> junit.TestRun:
    """Return what a file of this text says."""
    path = tmp_path / "r.xml"
    path.write_text(text, "utf-8")
    return junit.read(path)


def test_cases_are_counted_and_not_what_the_suite_says_of_itself(tmp_path: Path) -> None:
    """A suite's own totals may be of another run; what failed is named."""
    found = read(tmp_path, TWO)
    assert found.suites == [Suite("unit", 3, 1, 1, 0, 1, 1000.5), Suite("tests", 1, 0, 0, 1, 0, 2.0)]
    assert found.total == Suite("all", 4, 1, 1, 1, 1, 1002.5)
    assert found.broken == ["tests.a::two", "four"]


def test_suites_may_stand_in_suites_or_alone(tmp_path: Path) -> None:
    """Each case counts once."""
    inner = '<testsuite name="in"><testcase name="a"/></testsuite>'
    assert read(tmp_path, f'<testsuite name="out">{inner}</testsuite>').total.tests == 1
    assert read(tmp_path, inner).total.tests == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no XML"),
        ("{}", "no XML"),
        ("<html/>", "begins with <html>"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><testsuite/>', "declares entities"),
        ('<!DOCTYPE a SYSTEM "b.dtd"><testsuite/>', "declares entities"),
    ],
)
def test_what_is_no_junit_file_is_refused(tmp_path: Path, text: str, why: str) -> None:
    """With what was expected."""
    with pytest.raises(UsageError, match=why):
        read(tmp_path, text)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be held in memory as a whole."""
    monkeypatch.setattr(junit, "LARGEST_BYTES", 10)
    with pytest.raises(UsageError, match="larger than 10 bytes"):
        read(tmp_path, TWO)
