"""Verdicts: met needs enough observations and enough coverage, missed needs neither."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core import slo
from pointsman.core.slo_rings import DAY_S, HOUR_S, Stretch
from pointsman.core.slo_shares import Seen
from pointsman.core.slo_tally import Layout, Tally
from pointsman.model.objectives import MET, MISSED, NOT_MEASURED, Level
from pointsman.model.settings import ObjectiveSettings

SETTINGS = ObjectiveSettings()


def windows(tally: Tally, measured_s: float = HOUR_S) -> slo.Windows:
    """Return windows of an hour that all saw the same."""
    of = Stretch(tally, 0.0, HOUR_S, measured_s, 60.0)
    return slo.Windows(of, of, of, of, HOUR_S)


def judged(tally: Tally, beside: slo.Beside | None = None, measured_s: float = HOUR_S) -> dict[str, Level]:
    """Return every objective by name."""
    found = slo.levels(SETTINGS, windows(tally, measured_s), beside or slo.Beside((), 900.0, None))
    return {level.name: level for level in found}


@pytest.mark.parametrize(
    ("n", "bad", "allowed", "strict", "verdict"),
    [
        (0, 0, 0.05, False, NOT_MEASURED),
        (20, 0, 0.05, False, NOT_MEASURED),
        (21, 0, 0.05, False, MET),
        (100, 5, 0.05, False, MET),
        (100, 6, 0.05, False, MISSED),
        (200, 3, 0.015, True, MISSED),
        (201, 3, 0.015, True, MET),
        (66, 0, 0.015, True, NOT_MEASURED),
        (67, 0, 0.015, True, MET),
        (5, 1, 0.015, True, NOT_MEASURED),
        (5, 3, 0.015, True, MISSED),
        (5, 1, 0.001, True, NOT_MEASURED),
        (5, 2, 0.001, True, MISSED),
        (1000, 0, 0.001, True, NOT_MEASURED),
        (1001, 1, 0.001, True, MET),
        (1, 0, 0.0, True, MET),
        (1, 1, 0.0, True, MISSED),
    ],
)
def test_a_share_is_met_missed_or_not_measured(n: int, bad: int, allowed: float, strict: bool, verdict: str) -> None:
    """`more than 98.5 %` is not kept by exactly 98.5 %; a p95 is kept by exactly 95 of 100."""
    assert slo.judge(Seen(n, bad), allowed, 1.0, is_strict=strict)[0] == verdict


@given(st.integers(0, 3000), st.floats(0.0, 1.0), st.sampled_from([0.0, 0.001, 0.015, 0.05]), st.floats(0.0, 1.0))
def test_nothing_is_met_without_data(n: int, bad_share: float, allowed: float, coverage: float) -> None:
    """Nor with too few, nor on too little of the window; and never with more bad ones than allowed."""
    bad = round(n * bad_share)
    verdict, detail = slo.judge(Seen(n, bad), allowed, coverage, is_strict=True)
    if verdict == MET:
        assert n >= slo.needed(allowed)
        assert coverage >= slo.COVERAGE_MIN_SHARE
        assert bad <= allowed * n
    assert detail


def test_missed_needs_no_coverage() -> None:
    """What was seen to be broken is broken."""
    assert slo.judge(Seen(100, 50), 0.05, 0.0001, is_strict=True)[0] == MISSED
    assert slo.judge(Seen(100, 0), 0.05, 0.0001, is_strict=True)[0] == NOT_MEASURED


def test_exactly_what_may_be_bad_overdraws_a_strict_budget_only() -> None:
    """Success of 98.5 % is not more than 98.5 %."""
    tally = Tally(Layout())
    tally.count("delivered", 985)
    tally.count("dead", 15)
    found = judged(tally)
    assert [found[name].verdict for name in ("success", "errors")] == [MISSED, MISSED]
    assert found["success"].budget is not None
    assert found["success"].budget.left_share == pytest.approx(0.0)
    tally.count("delivered")
    assert judged(tally)["success"].verdict == MET


def test_the_whole_is_met_where_all_that_is_judged_is() -> None:
    """A rollback that nobody needed, and memory, are not judged; one that is missed decides."""
    tally = Tally(Layout())
    for _ in range(1100):
        tally.handed_out(0.002, 0.001)
        tally.time(2, 0.001)
    tally.count("delivered", 1100)
    assert slo.overall(list(judged(tally).values())) == NOT_MEASURED
    tally.count("health_fresh", 60)
    assert slo.overall(list(judged(tally).values())) == MET
    slow = slo.Beside((301.0,), 900.0, None)
    assert slo.overall(list(judged(tally, slow).values())) == MISSED
    assert slo.overall(list(judged(tally, measured_s=60.0).values())) == NOT_MEASURED


def test_memory_is_shown_and_never_judged() -> None:
    """The promise is for a load that nobody knows here."""
    found = judged(Tally(Layout()), slo.Beside((), 900.0, 90_000_000))["memory"]
    assert (found.observed, found.is_judged, found.verdict, found.target) == (90_000_000.0, False, NOT_MEASURED, None)


def test_every_objective_of_the_product_is_there() -> None:
    """In the order in which they are shown, each with a promise in words."""
    found = judged(Tally(Layout()))
    first = ["overhead", "classification", "routing", "success", "errors", "availability"]
    assert list(found) == [*first, "security", "rollback", "health", "memory"]
    assert found["overhead"].objective == "95 of 100 messages: the router adds at most 45 ms"
    assert "99.9 %" in found["availability"].objective
    assert all(level.observed is None and level.detail for level in found.values())


def test_burn_is_none_without_data() -> None:
    """Not 0, which would be all well."""
    assert slo.burn(Seen(0, 0), 0.05) is None
    assert slo.burn(Seen(100, 10), 0.05) == pytest.approx(2.0)
    assert slo.budget(Seen(0, 0), 0.05) is None


def test_days_of_coverage() -> None:
    """A day and a half of 30 days is the least."""
    assert 1.5 * DAY_S / (30 * DAY_S) == slo.COVERAGE_MIN_SHARE
