from __future__ import annotations

import msgspec

from pointsman.model.health import HealthResult, HealthStatus
from pointsman.model.objectives import MET, ErrorBudget, Level
from pointsman.model.rollout import RolloutStatus, State, Verdict
from pointsman.telemetry.metric import OTHER
from pointsman.telemetry.names_operations import COMPONENT_MAX_SERIES
from pointsman.telemetry.registry import Gauge, Known
from pointsman.telemetry.snapshot_operations import of_health, of_objectives, of_rollout

VERDICTS = [
    Verdict(
        gate=gate,
        verdict="pass",
        observed_share=observed,
        limit_share=limit,
        messages=400,
        bad=4,
        clients=5,
        detail="well",
    )
    for gate, observed, limit in (("error", 0.01, 0.015), ("slow", None, 0.05))
]
STATUS = RolloutStatus(
    configured=True,
    state=State.PARTIAL,
    stage="partial-25",
    share=0.25,
    shadow_share=0.1,
    realised_share=0.24,
    messages={"candidate": 24, "legacy": 76},
    since=1.0,
    stage_min_s=3600.0,
    locked=False,
    killed="",
    alarm="",
    rollout_id="r",
    ref="",
    verdicts=VERDICTS,
    fallbacks={},
    shadow={},
    allowed=[],
    next_stage="partial-50",
    history_head=None,
)
HEALTHY = HealthResult(
    component="worker:a",
    kind="worker",
    status=HealthStatus.PASS,
    output="well",
    observed=None,
    unit="",
    limit=None,
    because_of=(),
    at_wall=1000.0,
    took_s=0.25,
    since_wall=1.0,
)
ERRORS = Level(
    name="errors",
    objective="few",
    unit="share",
    target=0.015,
    observed=0.01,
    verdict=MET,
    detail="",
    is_judged=True,
    window_s=100.0,
    coverage_share=0.5,
    n=100,
    bad=1,
    budget=ErrorBudget(1.5, 1, 0.25),
)


def rows(gauges) -> dict[str, dict[tuple[str, ...], float]]:
    """Series of each gauge, by the end of its name."""
    made: list[Gauge] = list(gauges)
    return {gauge.metric.name.removeprefix("pointsman_"): dict(gauge.items()) for gauge in made}


def test_a_rollout_shows_its_state_shares_and_gates():
    """One state is 1; a gate that has seen nothing has a limit and no share."""
    found = rows(of_rollout(STATUS, Known()))
    assert {labels[0]: value for labels, value in found["rollout_state"].items() if value} == {"partial": 1}
    assert len(found["rollout_state"]) == len(State)
    assert found["rollout_target_share"] == {(): 0.25}
    assert found["rollout_realised_share"] == {(): 0.24}
    assert found["rollout_shadow_share"] == {(): 0.1}
    assert found["rollout_gate_observed_share"] == {("error",): 0.01}
    assert found["rollout_gate_limit_share"] == {("error",): 0.015, ("slow",): 0.05}
    assert [found[f"rollout_{flag}"] for flag in ("locked", "alarm", "killed")] == [{(): 0}] * 3


def test_what_is_wrong_with_a_rollout_is_a_one():
    """Lock, alarm and kill, each for itself."""
    wrong = msgspec.structs.replace(STATUS, locked=True, alarm="bad line", killed="kill file", realised_share=None)
    found = rows(of_rollout(wrong, Known()))
    assert [found[f"rollout_{flag}"] for flag in ("locked", "alarm", "killed")] == [{(): 1}] * 3
    assert found["rollout_realised_share"] == {}


def test_without_an_old_router_there_is_no_rollout_to_show():
    """Absent is not 0."""
    assert all(series == {} for series in rows(of_rollout(None, Known())).values())


def test_of_several_workers_the_worst_health_and_the_oldest_check_show():
    """Names of workers are no label here."""
    worse = msgspec.structs.replace(
        HEALTHY, component="worker:b", status=HealthStatus.FAIL, at_wall=900.0, took_s=0.125
    )
    unseen = msgspec.structs.replace(HEALTHY, kind="disk", status=HealthStatus.WARN, at_wall=None, took_s=None)
    found = rows(of_health([HEALTHY, worse, HEALTHY, unseen], Known()))
    assert found["health_status"] == {("worker",): 0.0, ("disk",): 0.5}
    assert found["health_last_check_timestamp_seconds"] == {("worker",): 900.0}
    assert found["health_check_seconds"] == {("worker",): 0.25}


def test_more_kinds_of_components_than_there_is_room_for_share_a_series():
    """Their worst shows."""
    kinds = [msgspec.structs.replace(HEALTHY, kind=f"k{place}") for place in range(COMPONENT_MAX_SERIES + 2)]
    kinds[-1] = msgspec.structs.replace(kinds[-1], status=HealthStatus.FAIL)
    status = rows(of_health(kinds, Known()))["health_status"]
    assert len(status) == COMPONENT_MAX_SERIES + 1
    assert status[(OTHER,)] == 0.0


def test_an_objective_shows_promise_figure_coverage_and_budget():
    """What was not measured is absent."""
    nothing = msgspec.structs.replace(
        ERRORS, name="memory", target=None, observed=None, coverage_share=0.0, budget=None
    )
    found = rows(of_objectives([ERRORS, nothing], Known()))
    assert found["slo_objective"] == {("errors",): 0.015}
    assert found["slo_observed"] == {("errors",): 0.01}
    assert found["slo_coverage_share"] == {("errors",): 0.5, ("memory",): 0.0}
    assert found["slo_budget_left_share"] == {("errors",): 0.25}
