"""What counts for and against each promise."""

from __future__ import annotations

import pytest

from pointsman.core.slo_shares import answers, ends, percent, shares
from pointsman.core.slo_tally import COUNTERS, REFUSED, Layout, Tally
from pointsman.model.settings import ObjectiveSettings

OF_ENDS = {"delivered": (1, 0), "failed": (1, 1), "dead": (1, 1), "expired": (1, 1)}
OF_ANSWERS = {
    **dict.fromkeys(("delivered", "message_fault", "failed", "dead", "expired", *REFUSED), (1, 0)),
    **dict.fromkeys(("unavailable", "fault"), (1, 1)),
    "router_error": (0, 1),
}


@pytest.mark.parametrize("name", COUNTERS)
def test_each_count_is_for_one_promise_or_another_or_neither(name: str) -> None:
    """Availability and errors are not the same ratio; `router_error` stands beside the end of its message."""
    tally = Tally(Layout())
    tally.count(name)
    assert ends(tally) == OF_ENDS.get(name, (0, 0))
    assert answers(tally) == OF_ANSWERS.get(name, (0, 0))


def test_bars_are_those_of_the_settings() -> None:
    """Success and errors are set apart, as they may be promised apart."""
    of = {one.name: one for one in shares(ObjectiveSettings(overhead_p95_s=0.02, success_share=0.9))}
    assert (of["overhead"].bar_s, of["overhead"].allowed_share) == (0.02, 0.05)
    assert (of["success"].allowed_share, of["success"].target) == (0.1, 0.9)
    assert of["errors"].allowed_share == 0.015
    assert of["availability"].allowed_share == 0.001


def test_percent_has_no_zeros_at_its_end() -> None:
    """98.5, 99.9, 0.2."""
    assert [percent(share) for share in (0.985, 0.999, 0.002, 1.0)] == ["98.5 %", "99.9 %", "0.2 %", "100 %"]
