"""The second part of the table in `names`: bringing the router in, and watching it."""

from __future__ import annotations

from typing import Final

from pointsman.model.outcome import Failure, Refusal
from pointsman.model.rollout import DIFFERENCES, INCIDENTS, SHADOW_DROPS, State
from pointsman.telemetry.metric import Label, Metric, Source, counter, gauge, histogram

ROLLOUT_LANES: Final = ("legacy", "candidate")
ROLLOUT_EVENTS: Final = ("start", "promote", "pause", "resume", "rollback", "ack", "trip")
ROLLOUT_GATES: Final = ("error", "slow")
FALLBACK_REASONS: Final = tuple(dict.fromkeys([*(r.value for r in Refusal), *(f.value for f in Failure)]))
SHADOW_OUTCOMES: Final = ("compared", "dropped", "timed_out")
CHECK_STATUSES: Final = ("pass", "warn", "fail")
HEALTH_FIGURES: Final = {"pass": 1.0, "warn": 0.5, "fail": 0.0}
"""`pointsman_health_status` by status."""

SLO_MAX_SERIES: Final = 20
COMPONENT_MAX_SERIES: Final = 40

_STATE = Label("state", tuple(state.value for state in State))
_GATE = Label("gate", ROLLOUT_GATES)
_COMPONENT = Label("component", source=Source.CODE)
_SLO = Label("slo", source=Source.CODE)

_LEGACY_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)

OPERATIONS: Final[tuple[Metric, ...]] = (
    # The rollout.
    gauge("pointsman_rollout_state", "1 for the state in which the rollout is, 0 for the others.", _STATE),
    gauge("pointsman_rollout_target_share", "Share of the keys that the candidate is to answer, 0 to 1."),
    gauge(
        "pointsman_rollout_realised_share",
        "Share of messages that the candidate answered since the stage began; absent before the first.",
    ),
    gauge("pointsman_rollout_shadow_share", "Share of messages that are mirrored now, 0 to 1."),
    gauge("pointsman_rollout_gate_observed_share", "Share of bad messages that a gate of the guard sees.", _GATE),
    gauge("pointsman_rollout_gate_limit_share", "Share of bad messages above which a gate rolls back.", _GATE),
    gauge("pointsman_rollout_locked", "1 if it was rolled back and nobody has acknowledged it, else 0."),
    gauge("pointsman_rollout_alarm", "1 if its record cannot be used and everything goes to the old router, else 0."),
    gauge("pointsman_rollout_killed", "1 if a kill file or the environment keeps all at the old router, else 0."),
    counter("pointsman_rollout_messages_total", "Messages by whom they were given to.", Label("lane", ROLLOUT_LANES)),
    counter("pointsman_rollout_transitions_total", "Steps of the rollout.", Label("event", ROLLOUT_EVENTS)),
    counter(
        "pointsman_rollout_fallbacks_total",
        "Messages of the candidate that the old router answered in the end, by why.",
        Label("reason", FALLBACK_REASONS),
        max_series=120,
    ),
    histogram("pointsman_legacy_seconds", "Time from receipt to the last byte of the old router's answer.", _LEGACY_S),
    counter("pointsman_legacy_failures_total", "Messages that the old router did not answer, or with a 5xx."),
    counter("pointsman_shadow_outcomes_total", "Messages sampled for the shadow.", Label("outcome", SHADOW_OUTCOMES)),
    counter(
        "pointsman_shadow_differences_total",
        "Compared messages by what the comparison came to.",
        Label("kind", DIFFERENCES),
    ),
    counter("pointsman_shadow_drops_total", "Dropped mirrored messages by why.", Label("reason", SHADOW_DROPS)),
    # Health, service levels, security.
    gauge(
        "pointsman_health_status",
        "Last result of a component: 1 pass, 0.5 warn, 0 fail; of several workers or pools, the worst.",
        _COMPONENT,
        max_series=COMPONENT_MAX_SERIES,
    ),
    gauge(
        "pointsman_health_last_check_timestamp_seconds",
        "When a component was last looked at deeply, Unix time; of several, the one longest ago.",
        _COMPONENT,
        max_series=COMPONENT_MAX_SERIES,
    ),
    gauge(
        "pointsman_health_check_seconds",
        "How long the last deep check of a component took; of several, the longest.",
        _COMPONENT,
        max_series=COMPONENT_MAX_SERIES,
    ),
    counter("pointsman_health_checks_total", "Deep checks of components.", Label("status", CHECK_STATUSES)),
    counter(
        "pointsman_security_incidents_total",
        "What must never happen: harmful messages let through, forbidden calls obeyed, records changed by others.",
        Label("kind", INCIDENTS),
    ),
    gauge(
        "pointsman_slo_objective", "What is promised, in the unit of the objective.", _SLO, max_series=SLO_MAX_SERIES
    ),
    gauge(
        "pointsman_slo_observed",
        "What was measured over the window, in the unit of the objective.",
        _SLO,
        max_series=SLO_MAX_SERIES,
    ),
    gauge(
        "pointsman_slo_coverage_share",
        "Share of the window for which there are figures.",
        _SLO,
        max_series=SLO_MAX_SERIES,
    ),
    gauge(
        "pointsman_slo_budget_left_share",
        "Share of the error budget of the window that is left; below 0 when overdrawn.",
        _SLO,
        max_series=SLO_MAX_SERIES,
    ),
)
