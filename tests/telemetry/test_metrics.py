from __future__ import annotations

from collections import Counter as Tally
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open_metrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from pointsman.model.decision import Classification
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
from pointsman.model.keys import KeyFault
from pointsman.model.message import PRIORITIES, Envelope, Message
from pointsman.model.outcome import AttemptRecord, Cause, Delivered, Expired, Failed, Failure, Refusal, Refused
from pointsman.model.settings import BudgetSettings, ClassSettings, PoolSettings, QuotaSettings, Settings
from pointsman.model.states import ENDS, Status
from pointsman.model.usage import Usage
from pointsman.model.views import Counts, QueueView
from pointsman.runtime.quotas import QuotaView
from pointsman.runtime.spending import BudgetShare
from pointsman.telemetry.metric import Kind
from pointsman.telemetry.metrics import DEPARTED_KEPT, DEPARTED_KEPT_S, Metrics
from pointsman.telemetry.names import METRICS
from pointsman.telemetry.names_classifier import CLASSIFIER
from pointsman.telemetry.names_operations import OPERATIONS
from pointsman.telemetry.process import ProcessFacts
from pointsman.telemetry.prometheus import Format
from pointsman.telemetry.snapshot import Snapshot
from tests.telemetry.test_snapshot_operations import ERRORS, HEALTHY, STATUS

GAUGES_OF_A_ROLLOUT = tuple(
    metric.name for metric in OPERATIONS if metric.kind is Kind.GAUGE and metric.name.startswith("pointsman_rollout_")
)

NOW = Snapshot(
    version="1.2.3",
    uptime_s=1.0,
    counts=Counts(0, 0, 0, 0, 0, 0, 0, 0),
    queues=[QueueView("coders", (0, 0, 0, 0, 0), 0, 0, 0.0, False)],
    workers=[],
    dead_letters=0,
    budgets=[BudgetShare("b", 0.5, 0.25)],
    quotas=[QuotaView("q", 1, 0, {"requests": 0.5}, False, None)],
    rollout=STATUS,
    health=[HEALTHY],
    objectives=[ERRORS],
    loop_lag_s=0.0,
    process=ProcessFacts(1, 1.0, 1, 1),
)


def envelope(message_class: str | None = "tactical", **changed: Any) -> Envelope:
    """A message that was received at 10 s and classified by a rule."""
    classification = message_class and Classification(message_class, 0.9, {message_class: 0.9}, "rule")
    values: dict[str, Any] = {
        "id": "0" * 32,
        "message": Message(text="x"),
        "client": "c",
        "received_at": 10.0,
        "received_wall": 0.0,
        "classification": classification or None,
        "pool": "coders",
        "attempt": 1,
        "admission_s": 0.25,
    }
    return Envelope(**values | changed)


def record(result: str) -> AttemptRecord:
    """What came of an earlier hand-out."""
    return AttemptRecord(number=1, pool="coders", worker="w", result=result, queued_s=0.0, took_s=0.0, worker_s=0.0)


def after(*events: Event, metrics: Metrics | None = None) -> dict[tuple[Any, ...], float]:
    """Every sample that is not 0, by name and labels, after these events, as a scraper reads it."""
    metrics = metrics or Metrics(Settings())
    for event in events:
        metrics.observe(event)
    return samples(metrics)


def samples(metrics: Metrics) -> dict[tuple[Any, ...], float]:
    """Every counted sample that is not 0."""
    body, _ = metrics.exposition("", NOW)
    return {
        (sample.name.removeprefix("pointsman_"), *sample.labels.values()): sample.value
        for family in parse_text(body.decode())
        for sample in family.samples
        if sample.value
        and not sample.name.endswith(("_bucket", "_info", "uptime_seconds", "_successful"))
        and not sample.name.startswith(("process_", "pointsman_budget_", "pointsman_quota_", "pointsman_slo_"))
        and not sample.name.startswith(("pointsman_health_status", "pointsman_health_last", "pointsman_health_check_s"))
        and not sample.name.startswith(GAUGES_OF_A_ROLLOUT)
    }


def test_every_kind_of_event_is_understood():
    """A new event must be given a meaning here, if only that it has none."""
    assert set(Metrics(Settings()).listeners) == set(get_args(Event))


def test_every_metric_of_the_table_is_exposed():
    """In both formats, from the start: what is never exposed has no place in the table."""
    metrics = Metrics(Settings(budgets={"b": BudgetSettings(tokens=1)}, quotas={"q": QuotaSettings()}))
    metrics.observe(WorkerJoined(0.0, "coders", "w"))
    expected = {metric.name.removesuffix("_total").removesuffix("_info") for metric in METRICS}
    body, content_type = metrics.exposition("application/openmetrics-text", NOW)
    assert content_type == Format.OPEN_METRICS.value
    families = {family.name for family in parse_open_metrics(body.decode())}
    seen_later = {
        "pointsman_attempts",
        "pointsman_breaker_transitions",
        "pointsman_in_flight",
        "pointsman_worker_slots",
        "pointsman_worker_state",
        "pointsman_breaker_state",
        "pointsman_dropped_series",
        *(metric.name.removesuffix("_total") for metric in CLASSIFIER),
    }
    assert expected - families == seen_later
    assert families <= expected


def test_rules_that_contradict_each_other_are_counted():
    """Once for each message for which they force several classes."""
    of = envelope()
    assert of.classification is not None
    of.classification = msgspec.structs.replace(of.classification, overruled=("strategic",))
    assert after(Admitted(11.0, of, 0.25, 0.125))["rule_conflicts_total",] == 1


def test_an_accepted_message_is_counted_by_class_priority_and_what_decided():
    """With the time of admission and of the classifier."""
    assert after(Admitted(11.0, envelope(level=1), 0.25, 0.125)) == {
        ("messages_admitted_total", "tactical", "high"): 1,
        ("classifications_total", "tactical", "rule"): 1,
        ("admission_seconds_count",): 1,
        ("admission_seconds_sum",): 0.25,
        ("classify_seconds_count",): 1,
        ("classify_seconds_sum",): 0.125,
    }


def test_a_message_that_was_not_classified_is_counted_without_a_class():
    """It spent no time in the classifier either."""
    assert after(Admitted(11.0, envelope(None), 0.25, 0.0)) == {
        ("messages_admitted_total", "none", "normal"): 1,
        ("admission_seconds_count",): 1,
        ("admission_seconds_sum",): 0.25,
    }


@pytest.mark.parametrize("fault", list(KeyFault))
def test_who_was_not_let_in_is_counted_by_what_was_wrong(fault):
    """Never by key or client; each reason is there from the start, so that a rate sees its first rise."""
    assert after(AccessDenied(1.0, fault), AccessDenied(2.0, fault)) == {("auth_failures_total", fault.value): 2}
    body, _ = Metrics(Settings()).exposition("", NOW)
    assert f'pointsman_auth_failures_total{{reason="{fault}"}} 0' in body.decode().splitlines()


@pytest.mark.parametrize(("of", "label"), [("", "none"), ("tactical", "tactical"), ("made-up", "other")])
def test_a_refusal_is_counted_by_reason_and_class(of, label):
    """Most come before classification; a class that the settings do not know has no label."""
    refused = Refused(Refusal.OVERLOADED, "too much", message_class=of)
    assert after(MessageRefused(11.0, envelope(), refused)) == {("messages_refused_total", "overloaded", label): 1}


def test_the_queue_wait_runs_from_acceptance_to_the_first_hand_out():
    """Received at 10 s, accepted a quarter second later, handed out at 12 s."""
    assert after(AttemptStarted(12.0, envelope(level=0), "coders")) == {
        ("queue_wait_seconds_count", "critical"): 1,
        ("queue_wait_seconds_sum", "critical"): 1.75,
    }


def test_a_later_hand_out_is_a_retry_by_what_came_before():
    """It is no queue wait; a lease that was lost leaves no trail."""
    busy = envelope(attempt=2, trail=[record("worker_error"), record("worker_busy")])
    lost = envelope(attempt=2)
    assert after(AttemptStarted(12.0, busy, "coders"), AttemptStarted(12.0, lost, "coders")) == {
        ("retries_total", "worker_busy"): 1,
        ("retries_total", "lease_lost"): 1,
    }


def test_a_hand_out_to_another_pool_is_a_fallback():
    """From the message's own pool to the one that took it."""
    strategic = envelope("strategic", pool="planners", attempt=2, trail=[record("no_worker")])
    assert after(AttemptStarted(12.0, strategic, "coders")) == {
        ("retries_total", "no_worker"): 1,
        ("fallbacks_total", "planners", "coders"): 1,
    }


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (Delivered("w"), "delivered"),
        (Failed(Failure.WORKER_TIMEOUT, "late"), "worker_timeout"),
        (Expired(), "expired"),
        (None, "cancelled"),
    ],
)
def test_an_attempt_is_counted_by_its_result_with_the_time_in_the_worker(outcome, result):
    """Whatever came of it."""
    ended = AttemptEnded(12.0, envelope(), "coders", "w", 2.0, 1.5, outcome)
    assert after(WorkerJoined(0.0, "coders", "w"), ended) == {
        ("attempts_total", "coders", "w", result): 1,
        ("worker_seconds_count", "coders"): 1,
        ("worker_seconds_sum", "coders"): 1.5,
    }


def test_an_attempt_that_reached_no_worker_has_no_time_in_one():
    """A 0 among the times of workers would make them look fast."""
    ended = AttemptEnded(12.0, envelope(), "coders", "", 2.0, 0.0, Failed(Failure.NO_WORKER, "none"))
    assert after(ended) == {("attempts_total", "coders", "none", "no_worker"): 1}


def test_tokens_and_money_are_counted_by_class():
    """Those that a cache had and those written to one are also among the input; without a price there is no money."""
    took = Usage(1000, 600, 100, 50)
    priced = AttemptEnded(12.0, envelope(), "coders", "w", 2.0, 1.5, Delivered("w"), took, 0.25)
    cancelled = AttemptEnded(12.0, envelope("strategic"), "coders", "w", 2.0, 1.5, None, Usage(10, 0, 0, 5), None)
    counted = after(WorkerJoined(0.0, "coders", "w"), priced, priced, cancelled)
    assert {key: value for key, value in counted.items() if key[0] in {"tokens_total", "cost_total"}} == {
        ("tokens_total", "input", "tactical"): 2000,
        ("tokens_total", "cached_input", "tactical"): 1200,
        ("tokens_total", "cache_write", "tactical"): 200,
        ("tokens_total", "output", "tactical"): 100,
        ("tokens_total", "input", "strategic"): 10,
        ("tokens_total", "output", "strategic"): 5,
        ("cost_total", "tactical"): 0.5,
    }


def test_an_end_is_counted_with_the_overhead_of_the_message():
    """By its status and class."""
    ended = Ended(12.0, envelope(), Status.DEAD, Cause.OUTCOME_UNKNOWN, "", 0.5, 2.0)
    assert after(ended) == {
        ("messages_ended_total", "dead", "tactical"): 1,
        ("overhead_seconds_count",): 1,
        ("overhead_seconds_sum",): 0.5,
    }


def test_a_message_that_was_never_handed_out_has_no_overhead_to_show():
    """Its admission alone would make the p95 look better than it is."""
    ended = Ended(12.0, envelope(attempt=0), Status.EXPIRED, Cause.TTL, "", 0.25, 2.0)
    assert after(ended) == {("messages_ended_total", "expired", "tactical"): 1}


def test_a_breaker_is_counted_by_its_new_state():
    """`was` is not counted: it is the state before."""
    moved = BreakerMoved(12.0, "coders", "w", "closed", "open")
    assert after(WorkerJoined(0.0, "coders", "w"), moved) == {("breaker_transitions_total", "coders", "w", "open"): 1}


def attempt_of(worker: str) -> AttemptEnded:
    """A hand-out that a worker answered."""
    return AttemptEnded(12.0, envelope(), "coders", worker, 1.0, 1.0, Delivered(worker))


def attempts(metrics: Metrics) -> dict[str, float]:
    """Attempts by worker."""
    return {key[2]: value for key, value in samples(metrics).items() if key[0] == "attempts_total"}


def test_a_worker_that_nobody_announced_counts_as_other():
    """Names come from the fleet, never from an answer."""
    metrics = Metrics(Settings())
    metrics.observe(attempt_of("stranger"))
    assert attempts(metrics) == {"other": 1}


def test_a_message_of_the_candidates_lane_is_counted_when_it_comes():
    """Accepted or refused; one of no lane is in no rollout."""
    mine = envelope(lane="candidate")
    refused = MessageRefused(11.0, mine, Refused(Refusal.OVERLOADED, "too much"))
    counted = after(Admitted(11.0, mine, 0.25, 0.0), refused, Admitted(11.0, envelope(), 0.25, 0.0))
    assert counted[("rollout_messages_total", "candidate")] == 2


def test_time_that_a_message_waited_for_a_particular_worker_is_shown_apart():
    """Of all its attempts together; a message that did not wait is not in it."""
    parked = msgspec.structs.replace(record("worker_busy"), parked_s=0.5)
    ended = Ended(12.0, envelope(trail=[parked, parked]), Status.DELIVERED, None, "", 0.5, 2.0)
    plain = Ended(12.0, envelope(trail=[record("delivered")]), Status.DELIVERED, None, "", 0.5, 2.0)
    counted = after(ended, plain)
    assert counted[("parked_seconds_count",)] == 1
    assert counted[("parked_seconds_sum",)] == 1.0


def test_a_bug_that_met_a_request_is_counted():
    """It is no refusal and no end of a message."""
    assert after(RequestFaulted(1.0)) == {("request_faults_total",): 1}


def test_the_series_of_a_worker_that_left_end_some_time_later():
    """Its last attempts still count, for 15 minutes; after that it is a stranger."""
    metrics = Metrics(Settings())
    for event in (WorkerJoined(0.0, "coders", "w"), attempt_of("w"), WorkerLeft(20.0, "coders", "w"), attempt_of("w")):
        metrics.observe(event)
    ended = Ended(20.0 + DEPARTED_KEPT_S - 1, envelope(), Status.DELIVERED, None, "", 0.0, 0.0)
    metrics.observe(ended)
    assert attempts(metrics) == {"w": 2}
    metrics.observe(Ended(20.0 + DEPARTED_KEPT_S, envelope(), Status.DELIVERED, None, "", 0.0, 0.0))
    assert attempts(metrics) == {}
    metrics.observe(attempt_of("w"))
    assert attempts(metrics) == {"other": 1}


def test_a_worker_that_came_back_keeps_its_series():
    """A restart is no farewell."""
    metrics = Metrics(Settings())
    metrics.observe(WorkerJoined(0.0, "coders", "w"))
    metrics.observe(attempt_of("w"))
    metrics.observe(WorkerLeft(20.0, "coders", "w"))
    metrics.observe(WorkerJoined(30.0, "coders", "w"))
    metrics.observe(WorkerLeft(20.0 + 2 * DEPARTED_KEPT_S, "coders", "other-one"))
    assert attempts(metrics) == {"w": 1}


def test_of_many_workers_that_left_at_once_the_first_go_first():
    """A fleet that comes and goes does not fill the table."""
    metrics = Metrics(Settings())
    names = [f"w{place}" for place in range(DEPARTED_KEPT + 5)]
    for name in names:
        metrics.observe(WorkerJoined(0.0, "coders", name))
        metrics.observe(attempt_of(name))
        metrics.observe(WorkerLeft(20.0, "coders", name))
    assert list(attempts(metrics)) == names[5:]


def test_series_begin_at_zero():
    """A rate sees the first refusal, retry, end and fallback; no fallback leads to its own pool."""
    body, _ = Metrics(Settings()).exposition("", NOW)
    text = body.decode()
    assert 'pointsman_messages_refused_total{reason="harmful",class="none"} 0' in text
    assert 'pointsman_messages_ended_total{status="dead",class="strategic"} 0' in text
    assert 'pointsman_retries_total{reason="worker_busy"} 0' in text
    assert 'pointsman_fallbacks_total{from_pool="coders",to_pool="planners"} 0' in text
    assert 'from_pool="coders",to_pool="coders"' not in text
    assert 'pointsman_overhead_seconds_bucket{le="0.045"} 0' in text
    assert "pointsman_attempts_total{" not in text


def test_too_many_classes_do_not_fill_their_metrics_with_zeros():
    """The room is for what happens."""
    classes = {f"c{place}": ClassSettings(pool="coders") for place in range(60)}
    body, _ = Metrics(Settings(classes=classes)).exposition("", NOW)
    assert "pointsman_messages_admitted_total{" not in body.decode()


def test_names_of_later_settings_are_known_beside_the_earlier_ones():
    """A reload that adds a pool and a class; messages of the old class still end."""
    metrics = Metrics(Settings())
    metrics.use(Settings(classes={"visual": ClassSettings(pool="eyes")}, pools={"eyes": PoolSettings()}))
    found = after(
        Admitted(11.0, envelope("visual"), 0.25, 0.0),
        Ended(12.0, envelope("tactical", attempt=0), Status.CANCELLED, Cause.SENDER, "", 0.0, 0.0),
        metrics=metrics,
    )
    assert found[("messages_admitted_total", "visual", "normal")] == 1
    assert found[("messages_ended_total", "cancelled", "tactical")] == 1


NAMES = st.sampled_from(["tactical", "strategic", "made-up", ""])
EVENTS = st.one_of(
    st.builds(
        lambda of, level: Admitted(11.0, envelope(of or None, level=level), 0.1, 0.1),
        NAMES,
        st.integers(0, len(PRIORITIES) - 1),
    ),
    st.builds(
        lambda of, reason: MessageRefused(11.0, envelope(), Refused(reason, "", message_class=of)),
        NAMES,
        st.sampled_from(Refusal),
    ),
    st.builds(
        lambda of, status: Ended(11.0, envelope(of or None), status, None, "", 0.1, 0.2),
        NAMES,
        st.sampled_from(sorted(ENDS)),
    ),
    st.builds(lambda pool: AttemptStarted(11.0, envelope(), pool), NAMES),
    st.builds(
        lambda worker, reason: AttemptEnded(11.0, envelope(), "coders", worker, 0.2, 0.1, Failed(reason, "")),
        st.sampled_from(["", "w", "stranger"]),
        st.sampled_from(Failure),
    ),
    st.builds(
        lambda state: BreakerMoved(11.0, "coders", "w", "closed", state), st.sampled_from(["open", "closed", "odd"])
    ),
    st.just(WorkerJoined(11.0, "coders", "w")),
    st.just(WorkerLeft(11.0, "coders", "w")),
)
TOTALS = {
    Admitted: "pointsman_messages_admitted_total",
    MessageRefused: "pointsman_messages_refused_total",
    Ended: "pointsman_messages_ended_total",
    AttemptStarted: "pointsman_queue_wait_seconds_count",
    AttemptEnded: "pointsman_attempts_total",
    BreakerMoved: "pointsman_breaker_transitions_total",
}


@given(st.lists(EVENTS, max_size=30))
def test_whatever_happens_each_event_is_counted_once(events):
    """For any events in any order: the sum over all series of a metric is the number of its events."""
    metrics = Metrics(Settings())
    for event in events:
        metrics.observe(event)
    body, _ = metrics.exposition("", NOW)
    sums: Tally[str] = Tally()
    for family in parse_text(body.decode()):
        for sample in family.samples:
            sums[sample.name] += int(sample.value)
    tally = Tally(type(event) for event in events)
    assert {kind: sums[name] for kind, name in TOTALS.items()} == {kind: tally[kind] for kind in TOTALS}
