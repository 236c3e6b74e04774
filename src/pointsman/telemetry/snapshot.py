"""What is read when somebody asks: queues, workers, counts, the process. Gauges are made from it, then dropped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from pointsman.model.feedback import ClassifierStatus
from pointsman.model.health import HealthResult
from pointsman.model.message import PRIORITIES
from pointsman.model.objectives import Level
from pointsman.model.rollout import RolloutStatus
from pointsman.model.views import Counts, QueueView
from pointsman.runtime.fleet import WorkerView
from pointsman.runtime.quotas import QuotaView
from pointsman.runtime.spending import BudgetShare
from pointsman.telemetry.metric import NONE, Source
from pointsman.telemetry.names import BREAKER_FIGURES, BY_NAME, WORKER_FIGURES, WORKER_STATES
from pointsman.telemetry.process import ProcessFacts
from pointsman.telemetry.registry import Gauge, Known
from pointsman.telemetry.snapshot_classifier import of_classifier
from pointsman.telemetry.snapshot_operations import of_health, of_objectives, of_rollout


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a router at one moment.

    Attributes:
        version: of Pointsman.
        uptime_s: seconds since it started.
        counts: the accounting.
        queues: every queue.
        workers: every worker, as the API shows it.
        dead_letters: kept now.
        reload_succeeded: whether the last reload was taken; true where there was none.
        budgets: how much of each is used.
        quotas: every provider account.
        rollout: where the rollout stands; None where there is no old router.
        health: every component that was looked at.
        objectives: every service level.
        classifier: how it fits the messages of today.
        loop_lag_s: how late the event loop last ran something, seconds; None where nobody measures.
        process: what the operating system says.
    """

    version: str
    uptime_s: float
    counts: Counts
    queues: Sequence[QueueView]
    workers: Sequence[WorkerView]
    dead_letters: int
    budgets: Sequence[BudgetShare] = ()
    quotas: Sequence[QuotaView] = ()
    reload_succeeded: bool = True
    rollout: RolloutStatus | None = None
    health: Sequence[HealthResult] = ()
    objectives: Sequence[Level] = ()
    classifier: ClassifierStatus | None = None
    loop_lag_s: float | None = None
    process: ProcessFacts = ProcessFacts()


def gauges(snapshot: Snapshot, known: Known) -> dict[str, Gauge]:
    """Return every metric that is read and not counted, by name. Writes to nothing but `known.dropped`."""
    made = {name: Gauge(BY_NAME[name], known) for name in _SINGLE}
    for name, value in _SINGLE.items():
        figure = value(snapshot)
        if figure is not None:
            made[name].add((), figure)
    made["pointsman_build_info"] = Gauge(BY_NAME["pointsman_build_info"], known)
    made["pointsman_build_info"].add((snapshot.version,))
    made |= _of_queues(snapshot.queues, known)
    made |= _of_workers(snapshot.workers, known)
    made |= _of_costs(snapshot, known)
    for gauge in (
        *of_rollout(snapshot.rollout, known),
        *of_health(snapshot.health, known),
        *of_objectives(snapshot.objectives, known),
        *of_classifier(snapshot.classifier, known),
    ):
        made[gauge.metric.name] = gauge
    return made


def dropped(*counts: Mapping[str, int]) -> Gauge:
    """Return the metric that says how many observations other metrics had no room for."""
    made = Gauge(BY_NAME["pointsman_dropped_series_total"], Known())
    for one in counts:
        for metric, count in list(one.items()):
            made.add((metric,), count)
    return made


_SINGLE: Final[dict[str, Callable[[Snapshot], float | None]]] = {
    "pointsman_messages_waiting": lambda now: now.counts.waiting,
    "pointsman_dead_letters": lambda now: now.dead_letters,
    "pointsman_config_last_reload_successful": lambda now: int(now.reload_succeeded),
    "pointsman_event_loop_lag_seconds": lambda now: now.loop_lag_s,
    "pointsman_uptime_seconds": lambda now: now.uptime_s,
    "process_resident_memory_bytes": lambda now: now.process.resident_bytes,
    "process_cpu_seconds_total": lambda now: now.process.cpu_s,
    "process_open_fds": lambda now: now.process.open_fds,
    "process_max_fds": lambda now: now.process.max_fds,
}


def _of_queues(queues: Sequence[QueueView], known: Known) -> dict[str, Gauge]:
    queued = Gauge(BY_NAME["pointsman_queued_messages"], known)
    delayed = Gauge(BY_NAME["pointsman_delayed_messages"], known)
    oldest = Gauge(BY_NAME["pointsman_oldest_message_seconds"], known)
    for queue in queues:
        for priority, depth in zip(PRIORITIES, queue.queued, strict=True):
            queued.add((queue.name, priority), depth)
        delayed.add((queue.name,), queue.delayed)
        oldest.highest((queue.name,), queue.oldest_s)
    return {gauge.metric.name: gauge for gauge in (queued, delayed, oldest)}


def _of_workers(workers: Sequence[WorkerView], known: Known) -> dict[str, Gauge]:
    in_flight = Gauge(BY_NAME["pointsman_in_flight"], known)
    slots = Gauge(BY_NAME["pointsman_worker_slots"], known)
    breaker = Gauge(BY_NAME["pointsman_breaker_state"], known)
    states = Gauge(BY_NAME["pointsman_workers"], known)
    state = Gauge(BY_NAME["pointsman_worker_state"], known)
    for pool in sorted(known.names[Source.POOL] - {NONE}):
        for state_name in WORKER_STATES:
            states.add((pool, state_name), 0)
    for worker in workers:
        in_flight.add((worker.pool, worker.id), worker.in_flight)
        slots.add((worker.pool, worker.id), worker.max_in_flight)
        breaker.highest((worker.pool, worker.id), BREAKER_FIGURES[worker.breaker])
        states.add((worker.pool, worker.state))
        state.lowest((worker.pool, worker.id), WORKER_FIGURES[worker.state])
    return {gauge.metric.name: gauge for gauge in (in_flight, slots, breaker, states, state)}


def _of_costs(snapshot: Snapshot, known: Known) -> dict[str, Gauge]:
    used = Gauge(BY_NAME["pointsman_budget_used_share"], known)
    reserved = Gauge(BY_NAME["pointsman_budget_reserved_share"], known)
    left = Gauge(BY_NAME["pointsman_quota_left_share"], known)
    for budget in snapshot.budgets:
        used.highest((budget.name,), budget.used_share)
        reserved.highest((budget.name,), budget.reserved_share)
    for quota in snapshot.quotas:
        for kind, share in quota.left.items():
            left.add((quota.name, kind), share)
    return {gauge.metric.name: gauge for gauge in (used, reserved, left)}
