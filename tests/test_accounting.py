"""The accounting identity over 100,000 messages with random cancels, expiries and losses of workers."""

from __future__ import annotations

import pytest

from pointsman.sim.scenario import Scenario, play
from tests.sim.test_scenario import check_at_rest

PART = 25_000


@pytest.mark.parametrize("seed", range(4))
def test_every_message_ends_exactly_once(seed: int) -> None:
    """Admitted = delivered + failed + dead + expired + cancelled at rest, and nothing is in flight anywhere.

    Four runs of 25,000, so that they can share the cores; together they are the 100,000.
    """
    scenario = Scenario(
        seed=1000 + seed,
        messages=PART,
        load=(0.5, 0.8, 0.95, 1.3)[seed],
        cancel_share=0.1,
        hurried_share=0.1,
        lossy_share=0.4,
        churn=True,
    )
    happened = play(scenario)
    check_at_rest(happened, PART)
    assert happened.counts.cancelled > 0
    assert happened.counts.expired > 0
