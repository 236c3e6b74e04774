"""The one table of every metric: name, kind, meaning, labels and their values, buckets, most series.

Naming follows Prometheus: base units, `_total` for counters, no colons. A label's values come from a closed
set, or from what the settings and the fleet know (pools, workers, classes), or from the code itself; never
from a message. Bounds of the service levels stand among the buckets exactly (0.045 and 0.05 s), so that no
share has to be interpolated.
"""

from __future__ import annotations

from typing import Final

from pointsman.core.breaker import BreakerState
from pointsman.core.rate_headers import INPUT, OUTPUT, REQUESTS, TOKENS
from pointsman.model.keys import KeyFault
from pointsman.model.message import PRIORITIES
from pointsman.model.outcome import Failure, Refusal
from pointsman.model.states import ENDS, Status
from pointsman.telemetry.metric import (
    WORKER_MAX_SERIES,
    WORKER_RESULT_MAX_SERIES,
    Kind,
    Label,
    Metric,
    Source,
    counter,
    gauge,
    histogram,
)
from pointsman.telemetry.names_classifier import CLASSIFIER
from pointsman.telemetry.names_operations import OPERATIONS

BREAKER_STATES: Final = tuple(state.value for state in BreakerState)

BREAKER_FIGURES: Final = {
    BreakerState.CLOSED.value: 0,
    BreakerState.HALF_OPEN.value: 1,
    BreakerState.OPEN.value: 2,
    BreakerState.FORCED_OPEN.value: 3,
    BreakerState.DISABLED.value: 3,
}
"""`pointsman_breaker_state` by state; 3 is whatever an operator set by hand."""

WORKER_STATES: Final = ("ready", "busy", "held", "draining", *(s for s in BREAKER_STATES if s != "closed"))
"""States of `runtime.fleet.WorkerView`."""

WORKER_FIGURES: Final = {
    state: {"ready": 1.0, "busy": 1.0, "disabled": 1.0, "half_open": 0.5, "held": 0.5}.get(state, 0.0)
    for state in WORKER_STATES
}
"""`pointsman_worker_state` by state; a breaker that is disabled lets everything through."""

FAILURES: Final = tuple(failure.value for failure in Failure)
RESULTS: Final = ("delivered", "expired", "cancelled", *FAILURES)
TOKEN_KINDS: Final = ("input", "cached_input", "cache_write", "output")
QUOTA_KINDS: Final = (REQUESTS, INPUT, OUTPUT, TOKENS, "in_flight")
CAUSES: Final = ("hint", "pin", "rule", "model", "embedding", "abstain")

_POOL = Label("pool", source=Source.POOL)
_QUEUE = Label("queue", source=Source.POOL)
_WORKER = Label("worker", source=Source.WORKER, may_lack=True)
_CLASS = Label("class", source=Source.CLASS)
_PRIORITY = Label("priority", PRIORITIES)
_BUDGET = Label("budget", source=Source.BUDGET)

_ROUTER_S = (
    1e-05, 2e-05, 4e-05, 6e-05, 0.0001, 0.0002, 0.0003, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
    0.5
)  # fmt: skip
_OVERHEAD_S = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.045, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0,
    5.0
)  # fmt: skip
_WAIT_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 3600.0)
_WORKER_S = (
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 3600.0,
    14400.0
)  # fmt: skip


METRICS: Final[tuple[Metric, ...]] = (
    # Counted as it happens.
    counter("pointsman_messages_admitted_total", "Messages accepted.", _CLASS, _PRIORITY),
    counter(
        "pointsman_messages_refused_total",
        "Messages not accepted, by reason; class is none where the refusal came before classification.",
        Label("reason", tuple(refusal.value for refusal in Refusal)),
        Label("class", source=Source.CLASS, may_lack=True),
        max_series=200,
    ),
    counter(
        "pointsman_auth_failures_total",
        "Requests that were not let in, by what was wrong with their API key.",
        Label("reason", tuple(fault.value for fault in KeyFault)),
    ),
    counter("pointsman_request_faults_total", "Requests answered 500, or broken off, by a bug of the router."),
    counter(
        "pointsman_messages_ended_total",
        "Accepted messages that ended, each once.",
        Label("status", tuple(status.value for status in Status if status in ENDS)),
        _CLASS,
    ),
    counter(
        "pointsman_attempts_total",
        "Hand-outs that came to a result; worker is none where none was reached.",
        _POOL,
        _WORKER,
        Label("result", RESULTS),
        max_series=WORKER_RESULT_MAX_SERIES,
    ),
    counter(
        "pointsman_classifications_total",
        "Accepted messages by what decided their class.",
        _CLASS,
        Label("cause", CAUSES),
    ),
    counter(
        "pointsman_rule_conflicts_total",
        "Accepted messages for which rules forced several classes; the dearest was taken.",
    ),
    counter(
        "pointsman_retries_total",
        "Hand-outs after the first, by what came of the one before.",
        Label("reason", FAILURES),
    ),
    counter(
        "pointsman_fallbacks_total",
        "Hand-outs to another pool than the message's own.",
        Label("from_pool", source=Source.POOL),
        Label("to_pool", source=Source.POOL),
    ),
    counter(
        "pointsman_breaker_transitions_total",
        "Changes of a worker's circuit breaker, by its new state.",
        _POOL,
        _WORKER,
        Label("to", BREAKER_STATES),
        max_series=330,
    ),
    counter(
        "pointsman_tokens_total",
        "Tokens that attempts took; input holds cached_input (read from a provider's cache) and cache_write.",
        Label("kind", TOKEN_KINDS),
        _CLASS,
    ),
    counter(
        "pointsman_cost_total",
        "Money that attempts took, in the currency of the settings; models without a price are not in it.",
        _CLASS,
        max_series=60,
    ),
    histogram(
        "pointsman_overhead_seconds",
        "Time the router added to a message: not the worker's, not the wait for a free worker.",
        _OVERHEAD_S,
    ),
    histogram("pointsman_classify_seconds", "Time a message took in the classifier.", _ROUTER_S),
    histogram("pointsman_admission_seconds", "Time from receipt of a message to its acceptance.", _ROUTER_S),
    histogram("pointsman_queue_wait_seconds", "Time from acceptance to the first hand-out.", _WAIT_S, _PRIORITY),
    histogram("pointsman_worker_seconds", "Time an attempt spent in a worker.", _WORKER_S, _POOL, max_series=25),
    histogram(
        "pointsman_parked_seconds",
        "Time that messages waited for a particular worker while others were free; only those that did.",
        _WAIT_S,
    ),
    # Read when somebody asks.
    gauge("pointsman_queued_messages", "Messages ready to be handed out.", _QUEUE, _PRIORITY, max_series=200),
    gauge("pointsman_delayed_messages", "Messages that must not be handed out yet.", _QUEUE, max_series=60),
    gauge("pointsman_oldest_message_seconds", "Age of the oldest message that waits.", _QUEUE, max_series=60),
    gauge("pointsman_messages_waiting", "Messages that wait, delayed ones included."),
    gauge("pointsman_dead_letters", "Dead letters kept."),
    gauge("pointsman_in_flight", "Messages a worker has in hand.", _POOL, _WORKER, max_series=WORKER_MAX_SERIES),
    gauge(
        "pointsman_worker_slots",
        "Messages a worker may have in hand at once.",
        _POOL,
        _WORKER,
        max_series=WORKER_MAX_SERIES,
    ),
    gauge("pointsman_workers", "Workers by state.", _POOL, Label("state", WORKER_STATES), max_series=240),
    gauge(
        "pointsman_worker_state",
        "What a worker may be given: 1 messages, 0.5 a trial or nothing for a while, 0 nothing.",
        _POOL,
        _WORKER,
        max_series=WORKER_MAX_SERIES,
    ),
    gauge(
        "pointsman_breaker_state",
        "Circuit breaker: 0 closed, 1 half open, 2 open, 3 set by an operator (forced open, or disabled).",
        _POOL,
        _WORKER,
        max_series=WORKER_MAX_SERIES,
    ),
    gauge(
        "pointsman_budget_used_share",
        "Spent and reserved of the limit; of a budget that each has to itself, that of whoever is nearest the limit.",
        _BUDGET,
        max_series=50,
    ),
    gauge(
        "pointsman_budget_reserved_share",
        "Reserved of the limit for messages in flight, of the same.",
        _BUDGET,
        max_series=50,
    ),
    gauge(
        "pointsman_quota_left_share",
        "What a provider account has left, by the settings or the provider's word, whichever is narrower.",
        Label("quota", source=Source.QUOTA),
        Label("kind", QUOTA_KINDS),
    ),
    gauge("pointsman_config_last_reload_successful", "1 if the last reload of the settings was taken, else 0."),
    gauge("pointsman_event_loop_lag_seconds", "How late the event loop last ran something."),
    gauge("pointsman_uptime_seconds", "Time since the router started."),
    Metric(
        "pointsman_build_info",
        Kind.INFO,
        "The version that runs.",
        (Label("version", source=Source.CODE),),
        max_series=1,
    ),
    counter(
        "pointsman_dropped_series_total",
        "Observations counted as other because their metric had no room for another label set.",
        Label("metric", source=Source.CODE),
        max_series=70,
    ),
    gauge("process_resident_memory_bytes", "Resident memory."),
    counter("process_cpu_seconds_total", "Processor time, user and system."),
    gauge("process_open_fds", "Open file descriptors."),
    gauge("process_max_fds", "Most file descriptors that may be open."),
    *OPERATIONS,
    *CLASSIFIER,
)

BY_NAME: Final = {metric.name: metric for metric in METRICS}
