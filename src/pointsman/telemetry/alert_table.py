"""Every alert but those on burn rates. Each says what an operator can do something about; all else is a panel."""

from __future__ import annotations

from typing import Final

from pointsman.core.classify.drift import MUCH
from pointsman.model.settings_operations import HealthSettings
from pointsman.telemetry.alerts import Alert, Severity
from pointsman.telemetry.rules import Windows

FLEET: Final = "pointsman-fleet"
ROLLOUT: Final = "pointsman-rollout"
ABSTAIN_SHARE_MAX: Final = 0.30
"""More abstained messages than this say that the classifier does not know the traffic."""


def alerts(windows: Windows) -> list[Alert]:
    """Return them, in the order in which they are shown."""
    return [*_of_the_process(), *_of_the_fleet(), *_of_health(), *_of_the_rollout(), *_of_security(windows)]


def _of_the_process() -> list[Alert]:
    return [
        Alert(
            name="PointsmanDown",
            expr='up{job="pointsman"} == 0 or absent(up{job="pointsman"})',
            lasting="1m",
            severity=Severity.PAGE,
            summary="No answer from the router",
            description="Prometheus cannot read the metrics of a router, or knows none at all: it is down, or cut off.",
        ),
        Alert(
            name="PointsmanEventLoopLag",
            expr="min_over_time(pointsman_event_loop_lag_seconds[5m]) > 0.05",
            lasting="1m",
            summary="The event loop of {{ $labels.instance }} runs late",
            description="For five minutes nothing has run within 50 ms of its time; every message waits as long.",
        ),
        Alert(
            name="PointsmanConfigReloadFailed",
            expr="pointsman_config_last_reload_successful == 0",
            lasting="1m",
            summary="{{ $labels.instance }} did not take its new settings",
            description="The settings file has a mistake. The old settings are in force; a restart would fail.",
        ),
        Alert(
            name="PointsmanSeriesDropped",
            expr="sum by (job, instance, metric) (increase(pointsman_dropped_series_total[1h])) > 0",
            lasting="5m",
            summary="No room for more series of {{ $labels.metric }}",
            description="Observations are counted as `other`, as their metric has no room for another label set. "
            "Nothing is lost in sum, but workers or pools cannot be told apart.",
        ),
        Alert(
            name="PointsmanFileDescriptorsLow",
            expr="process_open_fds / process_max_fds > 0.8 and on (job, instance) pointsman_build_info",
            lasting="5m",
            summary="{{ $labels.instance }} has nearly no file descriptors left",
            description="More than 80 % are open; when they are used up no connection is taken and no file opened.",
        ),
    ]


def _of_the_fleet() -> list[Alert]:
    usable = 'sum by (job, instance, pool) (pointsman_workers{state=~"ready|busy|half_open|held|disabled"})'
    workers = "sum by (job, instance, pool) (pointsman_workers)"
    queued = "sum by (job, instance, queue) (pointsman_queued_messages)"
    waiting = f'label_replace({queued}, "pool", "$1", "queue", "(.*)")'
    waited = f"sum by (job, instance, pool) ({waiting})"
    abstained = 'sum by (job) (increase(pointsman_classifications_total{cause="abstain"}[1h]))'
    classified = "sum by (job) (increase(pointsman_classifications_total[1h]))"
    return [
        Alert(
            name="PointsmanPoolWithoutWorkers",
            expr=f"{usable} == 0 and on (job, instance, pool) (({workers} + {waited}) > 0)",
            lasting="2m",
            severity=Severity.PAGE,
            summary="Pool {{ $labels.pool }} has no worker that may be called",
            description="All its workers are down, ejected or draining, or messages wait for workers that never came. "
            "Waiting senders are refused; stored messages wait, and expire.",
            board=FLEET,
        ),
        Alert(
            name="PointsmanBreakerOpen",
            expr="max by (job, instance, pool, worker) (pointsman_breaker_state) == 2",
            lasting="10m",
            summary="Worker {{ $labels.worker }} of {{ $labels.pool }} has been out for ten minutes",
            description="Its circuit breaker has not closed: calls to it fail. The other workers carry its share.",
            board=FLEET,
        ),
        Alert(
            name="PointsmanQueueOld",
            expr="max by (job, instance, queue) (pointsman_oldest_message_seconds) > 60",
            lasting="5m",
            summary="Messages wait too long in queue {{ $labels.queue }}",
            description="The oldest has waited for more than a minute, for five minutes: the pool cannot keep up.",
            board=FLEET,
        ),
        Alert(
            name="PointsmanDeadLettersGrow",
            expr="sum by (job, instance) (delta(pointsman_dead_letters[30m])) > 10",
            lasting="5m",
            summary="More than ten new dead letters in half an hour on {{ $labels.instance }}",
            description="Nobody could deliver them. They are kept, and can be replayed once the cause is mended.",
            board=FLEET,
        ),
        Alert(
            name="PointsmanAbstainShareHigh",
            expr=f"{abstained} / {classified} > {ABSTAIN_SHARE_MAX:g} and {classified} >= 100",
            lasting="15m",
            summary="The classifier abstains too often",
            description="More than 30 of 100 messages within an hour went the way of the fallback class, as nothing "
            "decided theirs: the traffic has changed, or rules and model do not fit it.",
        ),
        Alert(
            name="PointsmanClassifierDrift",
            expr=f'max by (job, instance, kind) (pointsman_classifier_drift{{kind=~"confidence|class"}}) > {MUCH:g}',
            lasting="30m",
            summary="Messages at {{ $labels.instance }} are not like those of the training",
            description="How sure the classifier is, or which classes it finds, has moved far (population stability "
            "index above 0.25) from what its model was trained on. It may be wrong more often than its figures say.",
        ),
        Alert(
            name="PointsmanBudgetNearlyUsed",
            expr="max by (job, instance, budget) (pointsman_budget_used_share) > 0.9",
            lasting="5m",
            summary="Budget {{ $labels.budget }} is nearly used up",
            description="More than 90 % are spent or reserved; when nothing is left its messages are refused.",
        ),
    ]


def _of_health() -> list[Alert]:
    stale_s = 2 * HealthSettings().check_s
    return [
        Alert(
            name="PointsmanHealthFailed",
            expr="min by (job, instance, component) (pointsman_health_status) == 0",
            lasting="2m",
            severity=Severity.PAGE,
            summary="{{ $labels.component }} fails its health check",
            description="A component does not do its work; `pointsman health` says what was seen and what to do.",
            board=ROLLOUT,
        ),
        Alert(
            name="PointsmanHealthStale",
            expr="time() - min by (job, instance, component) (pointsman_health_last_check_timestamp_seconds) > "
            f"{stale_s:g}",
            lasting="5m",
            summary="{{ $labels.component }} has not been looked at for half an hour",
            description="Deep checks should run every 15 minutes. What is not looked at may be broken unseen.",
            board=ROLLOUT,
        ),
        Alert(
            name="PointsmanErrorBudgetLow",
            expr="min by (job, instance, slo) (pointsman_slo_budget_left_share) < 0.1 "
            "and on (job, instance, slo) (pointsman_slo_coverage_share > 0.05)",
            lasting="15m",
            summary="Less than a tenth of the error budget of {{ $labels.slo }} is left",
            description="Of what may go wrong within the window of the objective, 90 % have. Take no risks until it "
            "has grown again.",
        ),
    ]


def _of_the_rollout() -> list[Alert]:
    fallbacks = "sum by (job) (increase(pointsman_rollout_fallbacks_total[10m]))"
    candidate = 'sum by (job) (increase(pointsman_rollout_messages_total{lane="candidate"}[10m]))'
    failed = "sum by (job) (increase(pointsman_legacy_failures_total[10m]))"
    legacy = "sum by (job) (increase(pointsman_legacy_seconds_count[10m]))"
    return [
        Alert(
            name="PointsmanRolloutLocked",
            expr="max by (job, instance) (pointsman_rollout_locked) == 1",
            summary="The rollout was rolled back and waits for somebody",
            description="A gate of the guard, a kill file or a person sent everything back to the old router. Traffic "
            "is safe; nothing goes on until somebody has looked and acknowledged.",
            board=ROLLOUT,
        ),
        Alert(
            name="PointsmanRolloutAlarm",
            expr="max by (job, instance) (pointsman_rollout_alarm) == 1",
            severity=Severity.PAGE,
            summary="The record of the rollout cannot be used",
            description="It cannot be read or written, so everything goes to the old router, whatever was agreed.",
            board=ROLLOUT,
        ),
        Alert(
            name="PointsmanRolloutFallbacks",
            expr=f"{fallbacks} / {candidate} > 0.01 and {candidate} >= 100",
            lasting="2m",
            summary="The old router answers in the place of the new one",
            description="More than 1 of 100 messages of the candidate fell back to the old router within ten minutes.",
            board=ROLLOUT,
        ),
        Alert(
            name="PointsmanLegacyFailing",
            expr=f"{failed} / {legacy} > 0.05 and {legacy} >= 100",
            lasting="2m",
            severity=Severity.PAGE,
            summary="The old router fails",
            description="It did not answer, or with a 5xx, more than 5 of 100 messages within ten minutes. Rolling "
            "back would make that worse.",
            board=ROLLOUT,
        ),
    ]


def _of_security(windows: Windows) -> list[Alert]:
    incidents = "pointsman_security_incidents_total"
    rise = f"sum by (job, instance, kind) (increase({incidents}[{windows.incident}])) > 0"
    born = f"({incidents} > 0 unless {incidents} offset {windows.incident})"
    return [
        Alert(
            name="PointsmanSecurityIncident",
            # The second half is for a router that saw one before Prometheus saw the router: no rise is in its series.
            expr=f"{rise} or sum by (job, instance, kind) {born}",
            severity=Severity.PAGE,
            summary="Security incident: {{ $labels.kind }}",
            description="What must never happen has happened: a harmful message was let through, a forbidden call was "
            "obeyed, or a record was changed by somebody else.",
            board=ROLLOUT,
        ),
    ]
