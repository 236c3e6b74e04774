from __future__ import annotations

import math
import re

from pointsman.core.breaker import BreakerState
from pointsman.model.health import HealthStatus
from pointsman.telemetry.metric import MOST_SAMPLES, Kind, Source
from pointsman.telemetry.names import BREAKER_FIGURES, BY_NAME, METRICS, WORKER_FIGURES, WORKER_STATES
from pointsman.telemetry.names_operations import HEALTH_FIGURES, OPERATIONS


def test_names_are_unique_and_follow_the_conventions_of_prometheus():
    """Small letters, no colon; counters and only counters end in `_total`; durations are in seconds."""
    assert len(BY_NAME) == len(METRICS)
    for metric in METRICS:
        assert re.fullmatch(r"(pointsman|process)_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
        assert metric.name.endswith("_info") == (metric.kind is Kind.INFO)
        assert not re.search(r"_(ms|s|kb|mb|pct|percent)(_|$)", metric.name)


def test_every_metric_says_what_it_means_in_one_sentence():
    """The help line, the reference page and a dashboard's tooltip are this text."""
    for metric in METRICS:
        assert metric.help.endswith(".")
        assert "\n" not in metric.help


def test_histograms_have_rising_bounds_and_nothing_else_has_any():
    """The infinite bound is not among them; each is finite and above 0."""
    for metric in METRICS:
        assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)
        assert list(metric.buckets) == sorted(set(metric.buckets))
        assert all(0 < bound < math.inf for bound in metric.buckets)


def test_the_bounds_of_the_service_levels_are_buckets():
    """The share below 45 ms, or 50 ms, is counted and not interpolated."""
    assert {0.045, 0.05} <= set(BY_NAME["pointsman_overhead_seconds"].buckets)
    assert 0.05 in BY_NAME["pointsman_classify_seconds"].buckets
    assert 0.05 in BY_NAME["pointsman_admission_seconds"].buckets


def test_closed_labels_alone_never_reach_the_bound_of_their_metric():
    """Only names from settings and fleet can be too many."""
    for metric in METRICS:
        closed = math.prod(len(label.values) for label in metric.labels if label.source is None)
        assert closed * 4 <= metric.max_series or metric.labels[0].source is Source.CODE
        for label in metric.labels:
            assert (label.source is None) == bool(label.values)
            assert all(type(value) is str for value in label.values)


def test_all_metrics_together_never_have_more_lines_than_promised():
    """Whatever clients, workers and pools call themselves."""
    assert sum(metric.most_samples for metric in METRICS) <= MOST_SAMPLES


def test_the_second_part_of_the_table_is_in_the_whole():
    """What stands in one file only would never be exposed."""
    assert set(OPERATIONS) <= set(METRICS)


def test_every_state_of_a_worker_and_status_of_health_has_a_figure():
    """Between nothing and everything."""
    assert set(WORKER_FIGURES) == set(WORKER_STATES)
    assert set(HEALTH_FIGURES) == set(HealthStatus)
    assert {*WORKER_FIGURES.values(), *HEALTH_FIGURES.values()} == {0.0, 0.5, 1.0}
    assert WORKER_FIGURES["open"] == 0.0


def test_every_state_of_a_breaker_has_a_figure_and_is_a_state_of_its_worker():
    """A new state must not break the scrape."""
    states = {state.value for state in BreakerState}
    assert set(BREAKER_FIGURES) == states
    assert states - {"closed"} <= set(WORKER_STATES)
    assert BREAKER_FIGURES == {"closed": 0, "half_open": 1, "open": 2, "forced_open": 3, "disabled": 3}
