"""Reads how tests ended from a JUnit file, as pytest, Maven, Go and most others write it.

Only counts, times and the names of what failed. The file is trusted no further than that: a declaration of entities,
by which a small file can become a huge one, is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import msgspec

from pointsman.model.errors import UsageError

LARGEST_BYTES: Final = 67_108_864
_NAMES_KEPT: Final = 50


class Suite(msgspec.Struct, frozen=True):
    """The tests of one suite; `passed` are those that neither failed, broke nor were left out."""

    name: str
    tests: int
    passed: int
    failed: int
    errors: int
    skipped: int
    took_s: float


class TestRun(msgspec.Struct, frozen=True):
    """All suites, and the names of the first tests that failed or broke."""

    __test__ = False

    suites: list[Suite]
    broken: list[str]

    @property
    def total(self) -> Suite:
        """All suites together."""
        figures = [sum(getattr(suite, name) for suite in self.suites) for name in Suite.__struct_fields__[1:]]
        return Suite("all", *figures)


def read(path: Path) -> TestRun:
    """Return what a JUnit file says.

    Raises:
        UsageError: it is none, or too large.
        OSError: it cannot be read.
    """
    if path.stat().st_size > LARGEST_BYTES:
        raise UsageError(f"{path}: larger than {LARGEST_BYTES:,} bytes; give the tests' results in smaller files")
    data = path.read_bytes()
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise UsageError(f"{path}: declares entities, as no JUnit file needs to; it is not read")
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise UsageError(f"{path}: is no XML: {error}; expected JUnit results, as `pytest --junitxml` writes") from None
    if root.tag not in {"testsuites", "testsuite"}:
        raise UsageError(f"{path}: begins with <{root.tag[:40]}>; expected <testsuites> or <testsuite>")
    suites, broken = [], []
    for suite in [one for one in root.iter("testsuite") if one.find("testcase") is not None]:
        cases = suite.findall("testcase")
        suites.append(_suite(suite.get("name") or "tests", cases))
        broken += [_name(case) for case in cases if _is(case, "failure") or _is(case, "error")]
    return TestRun(suites, broken[:_NAMES_KEPT])


def _suite(name: str, cases: list[ElementTree.Element]) -> Suite:
    failed = sum(1 for case in cases if _is(case, "failure"))
    errors = sum(1 for case in cases if _is(case, "error") and not _is(case, "failure"))
    skipped = sum(1 for case in cases if _is(case, "skipped"))
    passed = len(cases) - failed - errors - skipped
    return Suite(name, len(cases), passed, failed, errors, skipped, sum(map(_took, cases)))


def _is(case: ElementTree.Element, what: str) -> bool:
    return case.find(what) is not None


def _took(case: ElementTree.Element) -> float:
    try:
        return max(0.0, float((case.get("time") or "0").replace(",", "")))
    except ValueError:
        return 0.0


def _name(case: ElementTree.Element) -> str:
    return "::".join(part for part in (case.get("classname"), case.get("name")) if part)
