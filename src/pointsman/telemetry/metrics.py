"""Turns events into observations, and answers with all metrics when asked. No event is looked at twice, none is kept.

**Overhead.** `pointsman_overhead_seconds` observes `Ended.overhead_s`: admission, the wait for the dispatcher
where a worker was free, and of each attempt what it took less what it spent in the worker. Not in it: the
worker's own time, the wait for a free worker, back-off between attempts. Only messages that were handed out
at least once are observed: one that expired or was cancelled while it waited has only been through admission,
and would make the p95 look better than it is.

**Queue wait** runs from acceptance to the first hand-out; a delay that the sender asked for is in it.

**A worker that left** keeps its series for a while, so that the last scrape before it went loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from pointsman.model.events import (
    AccessDenied,
    Admitted,
    AttemptEnded,
    AttemptStarted,
    BreakerMoved,
    Ended,
    Event,
    MessageRefused,
    RequestFaulted,
    WorkerJoined,
    WorkerLeft,
)
from pointsman.model.message import PRIORITIES, Envelope
from pointsman.model.outcome import Delivered, Failed, Outcome
from pointsman.model.settings import Settings
from pointsman.model.usage import Usage
from pointsman.telemetry.metric import NONE, Metric, Source
from pointsman.telemetry.names import METRICS
from pointsman.telemetry.operation_counts import OperationCounts
from pointsman.telemetry.prometheus import choose, render
from pointsman.telemetry.registry import Known, Registry
from pointsman.telemetry.snapshot import Snapshot, dropped, gauges

DEPARTED_KEPT_S: Final = 900.0
"""How long the series of a worker that left are kept: several scrapes, however rare."""

DEPARTED_KEPT: Final = 200
"""Workers that left whose series are kept at most; the first to leave goes first."""


class Metrics:
    """All metrics of one router. `observe` is an observer of events; give it each event once.

    Args:
        settings: names the pools and classes that may be label values; `use` takes later ones.
    """

    def __init__(self, settings: Settings) -> None:
        registry = self._registry = Registry()
        self._known_when_read = Known(registry.known.names)
        self._admitted = registry.counter("pointsman_messages_admitted_total").add
        self._refused = registry.counter("pointsman_messages_refused_total").add
        self._auth_failures = registry.counter("pointsman_auth_failures_total").add
        self._faults = registry.counter("pointsman_request_faults_total").add
        self._ended = registry.counter("pointsman_messages_ended_total").add
        self._attempts = registry.counter("pointsman_attempts_total").add
        self._conflicts = registry.counter("pointsman_rule_conflicts_total").add
        self._classified = registry.counter("pointsman_classifications_total").add
        self._retries = registry.counter("pointsman_retries_total").add
        self._tokens = registry.counter("pointsman_tokens_total").add
        self._cost = registry.counter("pointsman_cost_total").add
        self._fallbacks = registry.counter("pointsman_fallbacks_total").add
        self._transitions = registry.counter("pointsman_breaker_transitions_total").add
        self._overhead = registry.histogram("pointsman_overhead_seconds").observe
        self._classify = registry.histogram("pointsman_classify_seconds").observe
        self._admission = registry.histogram("pointsman_admission_seconds").observe
        self._queue_wait = registry.histogram("pointsman_queue_wait_seconds").observe
        self._worker = registry.histogram("pointsman_worker_seconds").observe
        self._parked = registry.histogram("pointsman_parked_seconds").observe
        operations = OperationCounts(registry)
        self._candidate_given = operations.candidate_given
        self._departed: dict[str, float] = {}
        self.listeners: dict[type, Callable[[Any], None]] = {
            MessageRefused: self._message_refused,
            Admitted: self._message_admitted,
            AttemptStarted: self._attempt_started,
            AttemptEnded: self._attempt_ended,
            Ended: self._message_ended,
            BreakerMoved: self._breaker_moved,
            WorkerJoined: self._worker_joined,
            WorkerLeft: self._worker_left,
            AccessDenied: self._access_denied,
            RequestFaulted: self._request_faulted,
            **operations.listeners,
        }
        self.use(settings)

    def use(self, settings: Settings) -> None:
        """Let the pools and classes of these settings be label values, beside those known before.

        Metrics that name no worker begin at 0, so that a rate sees their first rise.
        """
        self._registry.know(Source.POOL, settings.pools)
        self._registry.know(Source.CLASS, settings.classes)
        self._registry.know(Source.BUDGET, settings.budgets)
        self._registry.know(Source.QUOTA, settings.quotas)
        for series in self._registry.series.values():
            for labels in _first_rows(series.metric, self._registry.known):
                series.begin(labels)

    def observe(self, event: Event) -> None:
        """Count what the event says. Never raises for its content, never blocks."""
        self.listeners[type(event)](event)

    def exposition(self, accept: str, snapshot: Snapshot) -> tuple[bytes, str]:
        """Return the body of `/metrics` and its content type, for an `Accept` header.

        May run in another thread than `observe`: what that writes, this only reads.
        """
        form = choose(accept)
        read = gauges(snapshot, self._known_when_read)
        counted = self._registry.series
        no_room = dropped(self._registry.known.dropped, self._known_when_read.dropped)
        read[no_room.metric.name] = no_room
        series = (counted.get(metric.name) or read[metric.name] for metric in METRICS)
        return render(series, form), form.value

    def _message_refused(self, event: MessageRefused) -> None:
        refused = event.refused
        if event.envelope.lane:
            self._candidate_given()
        self._refused((refused.reason, refused.message_class or NONE))

    def _message_admitted(self, event: Admitted) -> None:
        envelope = event.envelope
        classification = envelope.classification
        if envelope.lane:
            self._candidate_given()
        self._admission(event.admission_s)
        if classification is None:
            self._admitted((NONE, PRIORITIES[envelope.level]))
            return
        message_class = classification.message_class
        self._admitted((message_class, PRIORITIES[envelope.level]))
        self._classified((message_class, classification.cause))
        if classification.overruled:
            self._conflicts()
        self._classify(event.classify_s)

    def _attempt_started(self, event: AttemptStarted) -> None:
        envelope = event.envelope
        if envelope.attempt <= 1:
            wait_s = event.at - envelope.received_at - envelope.admission_s
            self._queue_wait(wait_s, (PRIORITIES[envelope.level],))
        else:
            trail = envelope.trail
            self._retries((trail[-1].result if trail else "lease_lost",))
        if event.pool != envelope.pool:
            self._fallbacks((envelope.pool, event.pool))

    def _attempt_ended(self, event: AttemptEnded) -> None:
        worker = event.worker
        self._attempts((event.pool, worker or NONE, _result(event.outcome)))
        if event.usage is not None:
            self._took(event.usage, event.cost, _class(event.envelope))
        if worker:
            self._worker(event.worker_s, (event.pool,))

    def _took(self, usage: Usage, cost: float | None, message_class: str) -> None:
        add = self._tokens
        add(("input", message_class), usage.input_tokens)
        add(("output", message_class), usage.output_tokens)
        if usage.cached_input_tokens:
            add(("cached_input", message_class), usage.cached_input_tokens)
        if usage.cache_write_tokens:
            add(("cache_write", message_class), usage.cache_write_tokens)
        if cost is not None:
            self._cost((message_class,), cost)

    def _message_ended(self, event: Ended) -> None:
        envelope = event.envelope
        self._ended((event.status, _class(envelope)))
        if envelope.attempt:
            self._overhead(event.overhead_s)
            parked_s = 0.0
            for record in envelope.trail:
                parked_s += record.parked_s
            if parked_s:
                self._parked(parked_s)
        if self._departed:
            self._forget_departed(event.at)

    def _breaker_moved(self, event: BreakerMoved) -> None:
        self._transitions((event.pool, event.worker, event.now))

    def _worker_joined(self, event: WorkerJoined) -> None:
        self._departed.pop(event.worker, None)
        self._registry.know(Source.WORKER, (event.worker,))
        self._registry.know(Source.POOL, (event.pool,))

    def _worker_left(self, event: WorkerLeft) -> None:
        self._departed.pop(event.worker, None)
        self._departed[event.worker] = event.at
        self._forget_departed(event.at)

    def _access_denied(self, event: AccessDenied) -> None:
        self._auth_failures((event.fault,))

    def _request_faulted(self, event: RequestFaulted) -> None:
        self._faults()

    def _forget_departed(self, now: float) -> None:
        departed = self._departed
        while departed:
            worker, left_at = next(iter(departed.items()))
            if len(departed) <= DEPARTED_KEPT and now - left_at < DEPARTED_KEPT_S:
                return
            del departed[worker]
            self._registry.forget(Source.WORKER, worker)


def _class(envelope: Envelope) -> str:
    classification = envelope.classification
    return classification.message_class if classification else NONE


def _result(outcome: Outcome | None) -> str:
    if type(outcome) is Delivered:
        return "delivered"
    if type(outcome) is Failed:
        return outcome.reason
    return "cancelled" if outcome is None else "expired"


def _first_rows(metric: Metric, known: Known) -> list[tuple[str, ...]]:
    """Return the label sets that a metric begins with: all it may have, unless they are many or name workers.

    No name stands in a set twice, as a fallback leads elsewhere.
    """
    rows: list[tuple[str, ...]] = [()]
    for label in metric.labels:
        if label.source is Source.WORKER:
            return []
        values: Iterable[str] = label.values
        if label.source:
            values = sorted(known.names[label.source] - ({NONE} if not label.may_lack else set()))
        rows = [(*row, value) for row in rows for value in values if value not in row]
    return rows if len(rows) <= metric.max_series // 2 else []
