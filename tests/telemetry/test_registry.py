from __future__ import annotations

from collections import Counter as Tally

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.model.outcome import Refusal
from pointsman.telemetry.metric import OTHER, Kind, Label, Metric, Source
from pointsman.telemetry.names import BY_NAME
from pointsman.telemetry.registry import MOST_NAMES, Counter, Gauge, Histogram, Known, Registry

SMALL = Metric(
    "small_total",
    Kind.COUNTER,
    "A metric with little room.",
    (Label("worker", source=Source.WORKER), Label("result", ("good", "bad"))),
    max_series=3,
)
SECONDS = Metric("a_seconds", Kind.HISTOGRAM, "A duration.", (), (0.1, 0.5, 1.0))


def known(*workers: str) -> Known:
    """What knows these workers."""
    made = Known()
    made.names[Source.WORKER].update(workers)
    return made


def test_a_series_adds_up():
    """By label set, in order of appearance."""
    counter = Counter(SMALL, known("a"))
    counter.add(("a", "good"))
    counter.add(("a", "bad"), 2)
    counter.add(("a", "good"), 3)
    assert counter.items() == [(("a", "good"), 4), (("a", "bad"), 2)]


def test_members_of_enums_count_as_their_values_and_come_out_as_plain_text():
    """Events carry enums; the exposition must not show `Refusal.INVALID`."""
    registry = Registry()
    counter = registry.counter("pointsman_messages_refused_total")
    counter.add((Refusal.INVALID, "none"))
    counter.add(("invalid", "none"))
    ((labels, value),) = counter.items()
    assert (labels, value) == (("invalid", "none"), 2)
    assert [type(label) for label in labels] == [str, str]


def test_what_is_not_known_counts_as_other():
    """A name that the fleet does not know, or a value outside the closed set."""
    counter = Counter(SMALL, known("a"))
    counter.add(("stranger", "good"))
    counter.add(("a", "strange"))
    counter.add(("stranger", "good"))
    assert dict(counter.items()) == {(OTHER, "good"): 2, ("a", OTHER): 1}


def test_a_full_metric_folds_names_into_other_and_says_how_often():
    """The closed labels keep their values, so that results stay right in sum."""
    knows = known("a", "b", "c", "d")
    counter = Counter(SMALL, knows)
    for worker in ("a", "b", "c", "d", "d"):
        counter.add((worker, "bad"))
    counter.add(("d", "good"))
    assert dict(counter.items()) == {
        ("a", "bad"): 1,
        ("b", "bad"): 1,
        ("c", "bad"): 1,
        (OTHER, "bad"): 2,
        (OTHER, "good"): 1,
    }
    assert knows.dropped == {"small_total": 3}


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdefxyz"), st.sampled_from(["good", "bad", "odd"]), st.integers(0, 5)),
        max_size=60,
    )
)
def test_no_count_is_lost_and_the_series_stay_few(observations):
    """Against a tally without bounds: equal sums by result, and no more series than the bound and its overflow."""
    counter = Counter(SMALL, known("a", "b", "c", "d", "e", "f"))
    tally: Tally[str] = Tally()
    for worker, result, by in observations:
        counter.add((worker, result), by)
        tally[result if result != "odd" else OTHER] += by
    totals: Tally[str] = Tally()
    for (_, result), value in counter.items():
        totals[result] += int(value)
    assert +totals == +tally
    assert len(counter.items()) <= SMALL.max_series + 3


@given(st.lists(st.floats(0, 2) | st.sampled_from([0.1, 0.5, 1.0]), max_size=40))
def test_a_histogram_counts_each_duration_in_the_first_bucket_that_holds_it(durations):
    """A bound belongs to its bucket; the last slot is the sum."""
    histogram = Histogram(SECONDS, Known())
    histogram.begin(())
    for duration in durations:
        histogram.observe(duration)
    ((_, slot),) = histogram.items()
    upper = (0.1, 0.5, 1.0, float("inf"))
    lower = (-1.0, *upper[:-1])
    assert slot[:-1] == [sum(low < one <= up for one in durations) for low, up in zip(lower, upper, strict=True)]
    assert slot[-1] == pytest.approx(sum(durations))


@pytest.mark.parametrize("odd", [-0.0001, float("nan"), -float("inf")])
def test_a_duration_that_is_none_counts_as_nothing(odd):
    """Rounding may give a negative difference; a sum must never become NaN."""
    histogram = Histogram(SECONDS, Known())
    histogram.observe(odd)
    assert histogram.items() == [((), [1, 0, 0, 0, 0.0])]


def test_what_is_read_is_a_copy():
    """The reader may take its time while the counting goes on."""
    histogram = Histogram(SECONDS, Known())
    histogram.observe(0.2)
    taken = histogram.items()
    histogram.observe(0.2)
    assert taken == [((), [0, 1, 0, 0, 0.2])]


def test_to_begin_shows_a_series_and_changes_none():
    """Twice is once."""
    counter = Counter(SMALL, known("a"))
    counter.begin(("a", "good"))
    counter.add(("a", "good"))
    counter.begin(("a", "good"))
    histogram = Histogram(SECONDS, Known())
    histogram.observe(0.2)
    histogram.begin(())
    assert counter.items() == [(("a", "good"), 1)]
    assert histogram.items() == [((), [0, 1, 0, 0, 0.2])]


def test_a_gauge_shows_the_worst_of_those_that_share_a_series():
    """Three strangers, one open breaker among them."""
    gauge = Gauge(SMALL, Known())
    for value in (1, 2, 0):
        gauge.highest(("stranger", "good"), value)
    gauge.highest(("b", "bad"), -1)
    assert gauge.items() == [((OTHER, "good"), 2), ((OTHER, "bad"), -1)]


def test_a_forgotten_name_takes_its_series_with_it_and_counts_as_other_from_then_on():
    """In every metric that names it, and nowhere else."""
    registry = Registry()
    registry.know(Source.POOL, ["p", "w"])
    registry.know(Source.WORKER, ["w", "v"])
    attempts = registry.counter("pointsman_attempts_total")
    moves = registry.counter("pointsman_breaker_transitions_total")
    seconds = registry.histogram("pointsman_worker_seconds")
    for worker in ("w", "v"):
        attempts.add(("p", worker, "delivered"))
        moves.add(("p", worker, "open"))
    seconds.observe(0.1, ("w",))
    registry.forget(Source.WORKER, "w")
    attempts.add(("p", "w", "delivered"))
    assert [labels for labels, _ in attempts.items()] == [("p", "v", "delivered"), ("p", OTHER, "delivered")]
    assert [labels for labels, _ in moves.items()] == [("p", "v", "open")]
    assert [labels for labels, _ in seconds.items()] == [("w",)]


def test_a_metric_must_stand_in_the_table_with_its_kind():
    """No metric is made up on the way."""
    registry = Registry()
    with pytest.raises(KeyError):
        registry.counter("pointsman_unheard_of_total")
    with pytest.raises(TypeError, match="is a histogram, not a counter"):
        registry.counter("pointsman_overhead_seconds")
    assert registry.series == {}


def test_a_wrong_number_of_labels_is_an_error():
    """It would shift every value by one."""
    counter = Counter(BY_NAME["pointsman_retries_total"], Known())
    with pytest.raises(ValueError):
        counter.add(("worker_busy", "more"))


def test_names_beyond_the_bound_are_other_and_counted_until_one_is_forgotten():
    """Memory is bounded by names as well as by series."""
    registry = Registry()
    seconds = registry.histogram("pointsman_worker_seconds")
    registry.know(Source.POOL, [f"p{place}" for place in range(MOST_NAMES + 5)])
    assert len(registry.known.names[Source.POOL]) == MOST_NAMES
    seconds.observe(0.1, ("late",))
    assert [labels for labels, _ in seconds.items()] == [(OTHER,)]
    assert registry.known.dropped == {"pointsman_worker_seconds": 1}
    registry.forget(Source.POOL, "p0")
    registry.know(Source.POOL, ["late"])
    seconds.observe(0.1, ("late",))
    assert [labels for labels, _ in seconds.items()] == [(OTHER,), ("late",)]


def test_a_gauge_may_show_the_lowest_of_those_that_share_a_series():
    """Three strangers, one of which is out."""
    gauge = Gauge(SMALL, Known())
    for value in (1.0, 0.0, 0.5):
        gauge.lowest(("stranger", "good"), value)
    assert gauge.items() == [((OTHER, "good"), 0.0)]
