"""Bars are judged by the median of ratios inside rounds, and never without the figures they need."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from benchmarks.gateway.bars import Verdict, judge
from benchmarks.gateway.figures import Series
from benchmarks.gateway.stage import Record

OURS = "pointsman-uvloop"


def judged(figures: Mapping[str, Mapping[str, Series]]) -> dict[str, Verdict]:
    """Return verdicts by what they are about."""
    record = Record(figures={name: dict(table) for name, table in figures.items()})
    return {verdict.what: verdict for verdict in judge(record, OURS)}


def test_median_of_the_rounds_decides_and_not_the_best() -> None:
    """Ratios of 4, 6 and 7 miss a bar of 5, though the best round keeps it."""
    verdict = judged(
        {OURS: {"cpu_us": {0: 80.0, 1: 120.0, 2: 210.0}}, "nginx": {"cpu_us": {0: 20.0, 1: 20.0, 2: 30.0}}}
    )["CPU per request / nginx"]
    assert (verdict.value, verdict.least, verdict.most, verdict.met) == (6.0, 4.0, 7.0, False)


def test_median_of_the_rounds_decides_a_fixed_bar_too() -> None:
    """A tail of 5, 7 and 8 times the p50 misses a bar of 6."""
    figures: dict[str, dict[str, Series]] = {
        OURS: {"tail_p99_us": {0: 500.0, 1: 700.0, 2: 800.0}, "p50_us": {0: 100.0, 1: 100.0, 2: 100.0}}
    }
    verdict = judged(figures)["p99 at half of its maximum / p50, one connection"]
    assert (verdict.value, verdict.least, verdict.most, verdict.met) == (7.0, 5.0, 8.0, False)


@pytest.mark.parametrize(("rate", "met"), [(7_000.0, True), (6_999.0, False)])
def test_where_more_is_better_the_bar_is_a_floor(rate: float, met: bool) -> None:
    """0.7 of Envoy is enough, less is not."""
    figures: dict[str, dict[str, Series]] = {
        OURS: {"core_rate": {0: rate}},
        "envoy": {"core_rate": {0: 10_000.0}},
    }
    assert judged(figures)["requests per core second / Envoy"].met is met


def test_added_latency_is_what_the_direct_way_does_not_take() -> None:
    """520 us against 120 us beside 20 us straight is 5 times as much added, not 4.3 times."""
    verdict = judged({"direct": {"p50_us": {0: 20.0}}, "nginx": {"p50_us": {0: 120.0}}, OURS: {"p50_us": {0: 520.0}}})[
        "added p50, one connection / nginx"
    ]
    assert (verdict.value, verdict.met) == (5.0, False)


def test_bar_without_its_peer_is_not_judged_and_says_so() -> None:
    """A missing peer is neither a pass nor a failure."""
    verdict = judged({OURS: {"cpu_us": {0: 80.0}}})["CPU per request / nginx"]
    assert (verdict.met, verdict.note) == (None, "nginx was not measured")


@pytest.mark.parametrize(
    ("figure", "what"),
    [
        ("held_back", "chunks held back > 25 ms"),
        ("bad_streams", "streams with a chunk lost"),
        ("tail_failed", "  failed requests"),
    ],
)
def test_one_harm_in_one_round_misses_the_bar(figure: str, what: str) -> None:
    """A median would hide it."""
    assert judged({OURS: {figure: {0: 0.0, 1: 0.0, 2: 1.0}}})[what].met is False
    assert judged({OURS: {figure: {0: 0.0, 1: 0.0, 2: 0.0}}})[what].met is True


def test_one_cut_stream_that_looks_complete_misses_the_bar() -> None:
    """99 of 100 is not 100 %."""
    assert (
        judged({OURS: {"cut_clean_flagged_share": {0: 0.99}}})["cut streams flagged: ended without last event"].met
        is False
    )
