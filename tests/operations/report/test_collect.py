"""Collecting: each part may be absent, and costs the report itself alone."""

from __future__ import annotations

from typing import Any

import pytest

from pointsman.model.errors import PointsmanError
from pointsman.operations.report.collect import collect
from tests.operations.report.evidence import BEGAN, NOW, Absent, answers, asking

PARTS = {
    "/api/v1/rollout/history": "history",
    "/api/v1/rollout/differences": "shadow",
    "/api/v1/slo": "slo",
    "/api/v1/health": "health",
    "/api/v1/health/history": "health_history",
}


def test_everything_there_is_is_collected() -> None:
    """The steps with the oldest first."""
    found = collect(asking(answers()), "u", NOW, None)
    assert found.missing == {}
    assert [entry["seq"] for entry in found.history] == list(range(1, 9))
    assert (found.began, found.now) == (BEGAN, NOW)
    assert len(found.health) == 2
    assert len(found.health_history) == 21


@pytest.mark.parametrize("path", PARTS)
def test_a_part_that_does_not_answer_is_missing(path: str) -> None:
    """By its name, with the reason; nothing else is."""
    known = answers()
    del known[path]
    found = collect(asking(known), "u", NOW, None)
    assert found.missing == {PARTS[path]: "not_found: nothing is here"}
    assert not getattr(found, PARTS[path])


def test_a_router_that_does_not_say_its_status_gives_no_report() -> None:
    """There is nothing to report on."""
    with pytest.raises(PointsmanError):
        collect(asking({}), "u", NOW, None)


def test_service_levels_are_asked_for_the_time_of_the_rollout() -> None:
    """Up to 30 days, and a minute at least; without a rollout as set."""
    asked: list[Any] = []
    known = answers()

    def get(path: str, query: Any) -> Any:
        if path == "/api/v1/slo":
            asked.append(query.get("window_s"))
        if path == "/api/v1/rollout/history":
            return {"entries": entries, "before": None}
        return known[path]

    entries = known["/api/v1/rollout/history"]["entries"]
    for now in (NOW, BEGAN + 5.0, BEGAN + 1e9):
        collect(get, "u", now, None)
    entries = []
    collect(get, "u", NOW, None)
    assert asked == [30 * 3600.0, 60.0, 2_592_000.0, None]


def test_the_history_is_read_page_by_page_and_of_this_rollout() -> None:
    """Steps of an earlier one are another report's."""
    known = answers()
    newest = known["/api/v1/rollout/history"]["entries"]
    earlier = {**newest[-1], "seq": 0, "rollout_id": "r-0"}

    def get(path: str, query: Any) -> Any:
        if path == "/api/v1/rollout/history":
            if "before" not in query:
                return {"entries": newest[:5], "before": newest[4]["seq"]}
            return {"entries": [*newest[5:], earlier], "before": None}
        return known[path]

    assert [entry["seq"] for entry in collect(get, "u", NOW, None).history] == list(range(1, 9))


def test_a_router_without_an_old_one_has_no_rollout() -> None:
    """That is said, and not taken for a fault."""
    known = answers()
    known["/api/v1/rollout"] = {"configured": False}
    known["/api/v1/rollout/history"] = {"entries": [], "before": None}
    found = collect(asking(known), "u", NOW, None)
    assert "no old router is configured" in found.missing["rollout"]
    assert found.began is None


def test_absence_is_what_the_client_raises() -> None:
    """The stand-in of these tests is a PointsmanError, as the client's are."""
    assert issubclass(Absent, PointsmanError)
