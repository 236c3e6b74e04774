"""Say which tests did not run, and why, from the JUnit file that `make test` has pytest write."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path


def sentences(results: Path) -> list[str]:
    """Return what to print: one line for the count, then one line for each reason."""
    if not results.exists():
        return ["No test ran: pytest stopped before it began."]
    cases = list(ET.parse(results).getroot().iter("testcase"))
    reasons = Counter(
        skip.get("message", "no reason given")
        for case in cases
        for skip in case.iter("skipped")
        if skip.get("type") != "pytest.xfail"
    )
    if not reasons:
        return [f"Nothing was left out: all {len(cases)} tests ran."]
    lines = [f"NOT RUN: {reasons.total()} of {len(cases)} tests."]
    return lines + [f"  {count} x {reason}" for reason, count in reasons.most_common()]


if __name__ == "__main__":
    print("\n".join(sentences(Path(sys.argv[1]))))
