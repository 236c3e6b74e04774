from __future__ import annotations

from collections import Counter

import pytest

from pointsman.cli.load import Figures, _percentile_ms, in_process


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 5000.0), (0.95, 10_000.0), (0.9, 9000.0), (1.0, 10_000.0), (0.01, 1000.0)]
)
def test_a_percentile_is_the_smallest_value_that_the_share_does_not_exceed(share, value):
    """The nearest rank, so that it is always one that was measured."""
    assert _percentile_ms([float(number) for number in range(1, 11)], share) == value


def test_nothing_measured_has_no_percentile():
    """None, not 0."""
    assert _percentile_ms([], 0.5) is None
    assert Figures().summary()["latency_ms"]["p99"] is None
    assert Figures().summary()["per_second"] == 0.0


def test_the_summary_counts_what_was_delivered_and_what_came_instead():
    """Throughput is of what was delivered."""
    summary = Figures(2.0, [0.002, 0.001], Counter(flooding=3)).summary()
    assert summary == {
        "seconds": 2.0,
        "delivered": 2,
        "per_second": 1.0,
        "latency_ms": {"p50": 1.0, "p95": 2.0, "p99": 2.0, "max": 2.0},
        "not_delivered": {"flooding": 3},
    }


@pytest.mark.real_loop
async def test_no_limit_bites_in_process_and_progress_is_told_in_seconds():
    """Every message is delivered; the steps that are told add up to the time asked for, however late each came."""
    told: list[float] = []
    figures = await in_process(0.2, 4, told.append)
    assert figures.others == Counter()
    assert figures.latencies_s
    assert sum(told) == pytest.approx(0.2)
