"""What each alert does over time: quiet, firing, over; and what must not fire."""

from __future__ import annotations

from typing import Final

from deploy.burn_cases import BLAME, BURNS
from deploy.stories import AT, JOB, Case, flag, holds, rises

PROCESS: Final = (
    flag("PointsmanDown", "up", AT, on=0, off=1, lasting=1),
    Case("PointsmanDown", (), {"job": "pointsman"}, (5,), ()),
    Case(
        "PointsmanEventLoopLag",
        ((f"pointsman_event_loop_lag_seconds{{{JOB}}}", holds((10, 0.001), (20, 0.2), (20, 0.001))),),
        AT,
        (20,),
        (9, 13, 35),
    ),
    Case(
        "PointsmanEventLoopLag",
        ((f"pointsman_event_loop_lag_seconds{{{JOB}}}", holds((10, 0.001), (1, 0.9), (20, 0.001))),),
        AT,
        (),
        (11, 20),
    ),
    flag("PointsmanConfigReloadFailed", "pointsman_config_last_reload_successful", AT, on=0, off=1, lasting=1),
    Case(
        "PointsmanSeriesDropped",
        (
            (
                f'pointsman_dropped_series_total{{{JOB},metric="pointsman_attempts_total"}}',
                rises((10, 0), (10, 5), (100, 0)),
            ),
        ),
        {**AT, "metric": "pointsman_attempts_total"},
        (20,),
        (9, 90),
    ),
    Case(
        "PointsmanFileDescriptorsLow",
        (
            (f"process_open_fds{{{JOB}}}", holds((10, 100), (20, 900), (20, 100))),
            (f"process_max_fds{{{JOB}}}", holds((50, 1024))),
            (f'pointsman_build_info{{{JOB},version="1"}}', holds((50, 1))),
            ('process_open_fds{job="another",instance="x"}', holds((50, 900))),
            ('process_max_fds{job="another",instance="x"}', holds((50, 1024))),
        ),
        AT,
        (25,),
        (9, 13, 35),
    ),
)


def _workers(ready: str, out: str) -> tuple[tuple[str, str], ...]:
    return (
        (f'pointsman_workers{{{JOB},pool="coders",state="ready"}}', ready),
        (f'pointsman_workers{{{JOB},pool="coders",state="open"}}', out),
        (f'pointsman_queued_messages{{{JOB},queue="coders",priority="normal"}}', holds((60, 0))),
    )


FLEET: Final = (
    Case(
        "PointsmanPoolWithoutWorkers",
        _workers(holds((10, 2), (20, 0), (30, 2)), holds((10, 0), (20, 2), (30, 0))),
        {**AT, "pool": "coders"},
        (15,),
        (9, 11, 35),
    ),
    Case(
        "PointsmanPoolWithoutWorkers",
        (
            (f'pointsman_workers{{{JOB},pool="coders",state="ready"}}', holds((60, 0))),
            (
                f'pointsman_queued_messages{{{JOB},queue="coders",priority="normal"}}',
                holds((10, 0), (20, 3), (30, 0)),
            ),
        ),
        {**AT, "pool": "coders"},
        (15,),
        (9, 35),
    ),
    flag(
        "PointsmanBreakerOpen",
        "pointsman_breaker_state",
        {**AT, "pool": "coders", "worker": "coder-1"},
        on=2,
        lasting=10,
    ),
    Case(
        "PointsmanBreakerOpen",
        ((f'pointsman_breaker_state{{{JOB},pool="coders",worker="coder-1"}}', holds((40, 1), (40, 3))),),
        {},
        (),
        (30, 70),
    ),
    flag("PointsmanQueueOld", "pointsman_oldest_message_seconds", {**AT, "queue": "coders"}, on=90, off=2, lasting=5),
    Case(
        "PointsmanDeadLettersGrow",
        ((f"pointsman_dead_letters{{{JOB}}}", "5x29 6+1x39 45x60"),),
        AT,
        (60,),
        (28, 120),
    ),
    Case(
        "PointsmanAbstainShareHigh",
        (
            (
                f'pointsman_classifications_total{{{JOB},class="tactical",cause="rule"}}',
                rises((60, 10), (120, 2), (120, 10)),
            ),
            (
                f'pointsman_classifications_total{{{JOB},class="strategic",cause="abstain"}}',
                rises((60, 1), (120, 9), (120, 1)),
            ),
        ),
        {"job": "pointsman"},
        (150,),
        (59, 250),
    ),
    flag(
        "PointsmanClassifierDrift",
        "pointsman_classifier_drift",
        {**AT, "kind": "confidence"},
        on=0.4,
        off=0.1,
        lasting=30,
    ),
    flag(
        "PointsmanBudgetNearlyUsed",
        "pointsman_budget_used_share",
        {**AT, "budget": "monthly"},
        on=0.95,
        off=0.5,
        lasting=5,
    ),
)

HEALTH: Final = (
    flag("PointsmanHealthFailed", "pointsman_health_status", {**AT, "component": "engine"}, on=0, off=1, lasting=2),
    flag("PointsmanHealthFailed", "pointsman_health_status", {**AT, "component": "disk"}, on=0, off=0.5, lasting=2),
    Case(
        "PointsmanHealthStale",
        (
            (
                f'pointsman_health_last_check_timestamp_seconds{{{JOB},component="engine"}}',
                "0x60 3600x40",
            ),
        ),
        {**AT, "component": "engine"},
        (40,),
        (30, 70),
    ),
    Case(
        "PointsmanErrorBudgetLow",
        (
            (f'pointsman_slo_budget_left_share{{{JOB},slo="errors"}}', holds((10, 0.8), (40, 0.05), (40, 0.5))),
            (f'pointsman_slo_coverage_share{{{JOB},slo="errors"}}', holds((90, 0.6))),
            (f'pointsman_slo_budget_left_share{{{JOB},slo="overhead"}}', holds((90, 0.05))),
            (f'pointsman_slo_coverage_share{{{JOB},slo="overhead"}}', holds((90, 0.001))),
        ),
        {**AT, "slo": "errors"},
        (40,),
        (9, 20, 60),
    ),
)

ROLLOUT: Final = (
    flag("PointsmanRolloutLocked", "pointsman_rollout_locked", AT, lasting=0),
    flag("PointsmanRolloutAlarm", "pointsman_rollout_alarm", AT, lasting=0),
    Case(
        "PointsmanRolloutFallbacks",
        (
            (f'pointsman_rollout_messages_total{{{JOB},lane="candidate"}}', rises((120, 100))),
            (
                f'pointsman_rollout_fallbacks_total{{{JOB},reason="unavailable"}}',
                rises((30, 0), (30, 5), (60, 0)),
            ),
        ),
        {"job": "pointsman"},
        (50,),
        (29, 90),
    ),
    Case(
        "PointsmanLegacyFailing",
        (
            (f"pointsman_legacy_seconds_count{{{JOB}}}", rises((120, 100))),
            (f"pointsman_legacy_failures_total{{{JOB}}}", rises((30, 0), (30, 20), (60, 0))),
        ),
        {"job": "pointsman"},
        (50,),
        (29, 90),
    ),
)

_INCIDENT: Final = f'pointsman_security_incidents_total{{{JOB},kind="forbidden_call_obeyed"}}'

SECURITY: Final = (
    # The first there ever was.
    Case(
        "PointsmanSecurityIncident",
        ((_INCIDENT, rises((90, 0), (1, 1), (150, 0))),),
        {**AT, "kind": "forbidden_call_obeyed"},
        (92, 140),
        (89, 160),
    ),
    # A restart: the count begins at 0 again.
    Case(
        "PointsmanSecurityIncident",
        ((_INCIDENT, "0 1x100 0x100"),),
        {**AT, "kind": "forbidden_call_obeyed"},
        (30,),
        (90, 101, 130, 170),
    ),
    # One before Prometheus had ever seen the router.
    Case(
        "PointsmanSecurityIncident",
        ((_INCIDENT, "1x200"),),
        {**AT, "kind": "forbidden_call_obeyed"},
        (1, 50),
        (70,),
    ),
)

CASES: Final = (*BURNS, *BLAME, *PROCESS, *FLEET, *HEALTH, *ROLLOUT, *SECURITY)

COARSE: Final = tuple({case.alert: None for case in (*BURNS, *BLAME)})
"""Alerts whose stories last hours."""
