from __future__ import annotations

from typing import Any

from pointsman.model.views import Counts, QueueView
from pointsman.runtime.fleet import WorkerView
from pointsman.runtime.quotas import QuotaView
from pointsman.runtime.spending import BudgetShare
from pointsman.telemetry.metric import OTHER, WORKER_MAX_SERIES, Source
from pointsman.telemetry.names import WORKER_STATES
from pointsman.telemetry.process import ProcessFacts
from pointsman.telemetry.registry import Known
from pointsman.telemetry.snapshot import Snapshot, dropped, gauges


def worker(id_: str, pool: str = "coders", **changed: Any) -> WorkerView:
    """A worker as the fleet shows it."""
    values: dict[str, Any] = {
        "id": id_,
        "pool": pool,
        "transport": "http",
        "state": "ready",
        "breaker": "closed",
        "in_flight": 1,
        "max_in_flight": 4,
        "service_s": 1.0,
        "success_share": 1.0,
        "origin": "file",
    }
    return WorkerView(**values | changed)


def snapshot(**changed: Any) -> Snapshot:
    """A router in which nothing happens."""
    values: dict[str, Any] = {
        "version": "1.2.3",
        "uptime_s": 5.0,
        "counts": Counts(admitted=9, delivered=1, failed=1, dead=1, expired=1, cancelled=1, waiting=3, in_flight=1),
        "queues": [],
        "workers": [],
        "dead_letters": 2,
    }
    return Snapshot(**values | changed)


def known() -> Known:
    """Two pools and two workers."""
    made = Known()
    made.names[Source.POOL].update(("coders", "planners"))
    made.names[Source.WORKER].update(("a", "b"))
    return made


def rows(metric: str, shot: Snapshot, knows: Known | None = None) -> dict[tuple[str, ...], float]:
    """The series of one metric."""
    return dict(gauges(shot, knows or known())[metric].items())


def test_single_figures_are_what_the_snapshot_says():
    """One series each, without labels."""
    shot = snapshot(loop_lag_s=0.25, process=ProcessFacts(resident_bytes=7, cpu_s=1.5, open_fds=3, max_fds=9))
    expected = {
        "pointsman_messages_waiting": 3,
        "pointsman_dead_letters": 2,
        "pointsman_config_last_reload_successful": 1,
        "pointsman_event_loop_lag_seconds": 0.25,
        "pointsman_uptime_seconds": 5.0,
        "process_resident_memory_bytes": 7,
        "process_cpu_seconds_total": 1.5,
        "process_open_fds": 3,
        "process_max_fds": 9,
    }
    assert {name: rows(name, shot)[()] for name in expected} == expected
    assert rows("pointsman_build_info", shot) == {("1.2.3",): 1}
    assert rows("pointsman_config_last_reload_successful", snapshot(reload_succeeded=False)) == {(): 0}


def test_what_nobody_measured_is_left_out():
    """Absent is not 0."""
    for name in ("pointsman_event_loop_lag_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total"):
        assert rows(name, snapshot()) == {}


def test_queues_show_depth_by_priority_delay_and_age():
    """Queues of pools that are not known any more share a series: depths add up, the oldest message shows."""
    shot = snapshot(
        queues=[
            QueueView("coders", (1, 2, 3, 4, 5), 6, 0, 7.5, False),
            QueueView("old", (1, 0, 0, 0, 0), 0, 0, 9.0, True),
            QueueView("older", (1, 0, 0, 0, 0), 0, 0, 5.0, True),
        ]
    )
    queued = rows("pointsman_queued_messages", shot)
    assert [queued[("coders", p)] for p in ("critical", "high", "normal", "low", "bulk")] == [1, 2, 3, 4, 5]
    assert queued[(OTHER, "critical")] == 2
    assert rows("pointsman_delayed_messages", shot) == {("coders",): 6, (OTHER,): 0}
    assert rows("pointsman_oldest_message_seconds", shot) == {("coders",): 7.5, (OTHER,): 9.0}


def test_workers_show_load_breaker_and_state():
    """Every state of every pool is there, most of them 0, so that a dashboard has no holes."""
    shot = snapshot(
        workers=[
            worker("a", in_flight=2, max_in_flight=3),
            worker("b", pool="planners", state="open", breaker="open"),
        ]
    )
    assert rows("pointsman_in_flight", shot) == {("coders", "a"): 2, ("planners", "b"): 1}
    assert rows("pointsman_worker_slots", shot) == {("coders", "a"): 3, ("planners", "b"): 4}
    assert rows("pointsman_breaker_state", shot) == {("coders", "a"): 0, ("planners", "b"): 2}
    assert rows("pointsman_worker_state", shot) == {("coders", "a"): 1.0, ("planners", "b"): 0.0}
    states = rows("pointsman_workers", shot)
    assert len(states) == 2 * len(WORKER_STATES)
    assert {labels: count for labels, count in states.items() if count} == {
        ("coders", "ready"): 1,
        ("planners", "open"): 1,
    }


def test_workers_that_are_not_known_add_up_and_show_their_worst_breaker():
    """Load is summed, the breaker's figure is the highest."""
    shot = snapshot(
        workers=[worker("x", breaker="half_open"), worker("y", breaker="open"), worker("z", breaker="closed")]
    )
    assert rows("pointsman_in_flight", shot) == {("coders", OTHER): 3}
    assert rows("pointsman_breaker_state", shot) == {("coders", OTHER): 2}


def test_workers_beyond_the_bound_share_a_series_and_are_counted_as_dropped():
    """A fleet of thousands does not make a scrape of megabytes."""
    knows = known()
    names = [f"w{place}" for place in range(WORKER_MAX_SERIES + 10)]
    knows.names[Source.WORKER].update(names)
    series = rows("pointsman_in_flight", snapshot(workers=[worker(name) for name in names]), knows)
    assert len(series) == WORKER_MAX_SERIES + 1
    assert series[(OTHER, OTHER)] == 10
    assert sum(series.values()) == WORKER_MAX_SERIES + 10
    assert dict(dropped({"a": 1}, knows.dropped).items()) == {
        ("a",): 1,
        ("pointsman_in_flight",): 10,
        ("pointsman_worker_slots",): 10,
        ("pointsman_breaker_state",): 10,
        ("pointsman_worker_state",): 10,
    }


def test_budgets_and_provider_accounts_show_shares():
    """By their names in the settings, never by whose they are; one that the settings do not know is `other`."""
    knows = known()
    knows.names[Source.BUDGET].add("b")
    knows.names[Source.QUOTA].add("q")
    shot = snapshot(
        budgets=[BudgetShare("b", 0.75, 0.25), BudgetShare("gone", 1.5, 0.0)],
        quotas=[QuotaView("q", 2, 1, {"requests": 0.5, "in_flight": 0.0}, True, 3.0)],
    )
    assert rows("pointsman_budget_used_share", shot, knows) == {("b",): 0.75, (OTHER,): 1.5}
    assert rows("pointsman_budget_reserved_share", shot, knows) == {("b",): 0.25, (OTHER,): 0.0}
    assert rows("pointsman_quota_left_share", shot, knows) == {("q", "requests"): 0.5, ("q", "in_flight"): 0.0}
