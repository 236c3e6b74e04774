"""What stands beside the objectives: both routers, counts apart, the past."""

from __future__ import annotations

from pointsman.core import slo_report
from pointsman.core.slo_rings import HOUR_S, Stretch
from pointsman.core.slo_tally import CANDIDATE, LEGACY, OVERHEAD, Layout, Tally


def stretch(tally: Tally, measured_s: float = 1800.0) -> Stretch:
    """Return an hour."""
    return Stretch(tally, 0.0, HOUR_S, measured_s, HOUR_S)


def test_an_hour_in_which_nobody_sent_has_no_shares() -> None:
    """None is no 100 %, and no 0."""
    found = slo_report.period(stretch(Tally(Layout())), 0.045)
    assert (found.measured_share, found.messages, found.incidents) == (0.5, 0, 0)
    shares = (found.success_share, found.availability_share, found.within_share, found.p95_s)
    assert shares == (None,) * 4
    assert (found.classification_mean_s, found.routing_mean_s) == (None, None)


def test_an_hour_in_figures() -> None:
    """Each message once; refusals apart."""
    tally = Tally(Layout())
    tally.count("delivered", 6)
    tally.count("expired", 2)
    tally.count("cancelled")
    tally.count("refused_by_limits", 11)
    tally.count("fault")
    tally.count("record_tampered")
    tally.handed_out(0.010, 0.004)
    tally.handed_out(0.090, 0.004)
    found = slo_report.period(stretch(tally), 0.045)
    assert (found.messages, found.delivered, found.errors, found.left_out, found.refused) == (9, 6, 2, 1, 11)
    assert (found.success_share, found.availability_share) == (0.75, 0.95)
    assert (found.within_share, found.own_faults, found.incidents) == (0.5, 1, 1)
    assert tally.timed(OVERHEAD) == 2


def test_a_router_that_answered_nothing_has_no_share() -> None:
    """Neither of the two."""
    empty = Tally(Layout())
    assert slo_report.candidate(empty).ok_share is None
    assert slo_report.legacy(empty).p95_s is None


def test_refusals_by_our_own_fault_are_answers_without_a_time() -> None:
    """They count against the candidate, and do not make it look fast."""
    tally = Tally(Layout())
    tally.time(CANDIDATE, 2.0)
    tally.count("candidate_ok")
    tally.count("candidate_refused", 3)
    tally.time(LEGACY, 1.0)
    found = slo_report.candidate(tally)
    assert (found.n, found.ok, found.ok_share, found.mean_s) == (4, 1, 0.25, 2.0)
    assert slo_report.legacy(tally).ok_share == 0.0


def test_counts_apart_name_all_that_is_in_no_objective() -> None:
    """Refusals on purpose, messages left out, own errors by kind."""
    names = set(slo_report.apart(Tally(Layout())))
    assert {"refused_as_wrong", "cancelled", "message_fault", "unavailable", "fault", "router_error"} < names
    assert set(slo_report.incidents(Tally(Layout()))) >= {"blocked_message_passed", "other_incident"}
