"""Gauges of the rollout, of health and of the service levels, from what those parts say when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pointsman.model.health import HealthResult
from pointsman.model.objectives import Level
from pointsman.model.rollout import RolloutStatus, State
from pointsman.telemetry.names import BY_NAME
from pointsman.telemetry.names_operations import HEALTH_FIGURES
from pointsman.telemetry.registry import Gauge, Known

_ROLLOUT: Final = "pointsman_rollout_"


def of_rollout(status: RolloutStatus | None, known: Known) -> Iterable[Gauge]:
    """Return the gauges of a rollout; empty ones where there is none."""
    names = (
        "state", "target_share", "realised_share", "shadow_share", "gate_observed_share", "gate_limit_share", "locked",
        "alarm", "killed",
    )  # fmt: skip
    made = {name: Gauge(BY_NAME[_ROLLOUT + name], known) for name in names}
    if status is not None:
        for state in State:
            made["state"].add((state.value,), int(status.state is state))
        made["target_share"].add((), status.share)
        made["shadow_share"].add((), status.shadow_share)
        made["locked"].add((), int(status.locked))
        made["alarm"].add((), int(bool(status.alarm)))
        made["killed"].add((), int(bool(status.killed)))
        if status.realised_share is not None:
            made["realised_share"].add((), status.realised_share)
        for verdict in status.verdicts:
            made["gate_limit_share"].highest((verdict.gate,), verdict.limit_share)
            if verdict.observed_share is not None:
                made["gate_observed_share"].highest((verdict.gate,), verdict.observed_share)
    return made.values()


def of_health(components: Sequence[HealthResult], known: Known) -> Iterable[Gauge]:
    """Return the gauges of health by kind of component; of several, such as workers, the worst shows."""
    status = Gauge(BY_NAME["pointsman_health_status"], known)
    checked = Gauge(BY_NAME["pointsman_health_last_check_timestamp_seconds"], known)
    took = Gauge(BY_NAME["pointsman_health_check_seconds"], known)
    for one in components:
        labels = (one.kind,)
        status.lowest(labels, HEALTH_FIGURES[one.status.value])
        if one.at_wall is not None:
            checked.lowest(labels, one.at_wall)
        if one.took_s is not None:
            took.highest(labels, one.took_s)
    return status, checked, took


def of_objectives(objectives: Sequence[Level], known: Known) -> Iterable[Gauge]:
    """Return the gauges of the service levels. What was not measured is absent."""
    promised = Gauge(BY_NAME["pointsman_slo_objective"], known)
    observed = Gauge(BY_NAME["pointsman_slo_observed"], known)
    coverage = Gauge(BY_NAME["pointsman_slo_coverage_share"], known)
    left = Gauge(BY_NAME["pointsman_slo_budget_left_share"], known)
    for one in objectives:
        labels = (one.name,)
        coverage.add(labels, one.coverage_share)
        if one.observed is not None:
            observed.add(labels, one.observed)
        if one.target is not None:
            promised.add(labels, one.target)
        if one.budget is not None:
            left.add(labels, one.budget.left_share)
    return promised, observed, coverage, left
