"""What the settings say about who serves whom."""

from __future__ import annotations

import pytest

from pointsman.core.routing import (
    AGENT_TIMEOUT_S,
    TIMEOUT_S,
    FallbackRule,
    Route,
    fallback_rules,
    redeliver_of,
    routes,
    timeout_of,
)
from pointsman.model.settings import ClassSettings, PoolSettings, RetrySettings, Settings, WorkerSettings

AGENT = WorkerSettings(id="a", transport="subprocess", command=["agent"])
MODEL = WorkerSettings(id="m", transport="openai", url="http://127.0.0.1:1")


def test_a_class_goes_to_its_pool_with_the_pools_rules() -> None:
    """Redelivery and attempts are the pool's, the pool is the class's."""
    settings = Settings(
        classes={
            "plan": ClassSettings(pool="slow"),
            "do": ClassSettings(pool="fast"),
            "chat": ClassSettings(pool="fast", serial=True),
        },
        pools={
            "slow": PoolSettings(workers=[AGENT]),
            "fast": PoolSettings(redeliver="never", retry=RetrySettings(max_attempts=7)),
        },
    )
    assert routes(settings) == {
        "plan": Route("slow", "unsent", 3),
        "do": Route("fast", "never", 7),
        "chat": Route("fast", "never", 7, serial=True),
    }


@pytest.mark.parametrize(
    ("pool", "timeout_s", "redeliver"),
    [
        (PoolSettings(), TIMEOUT_S, "always"),
        (PoolSettings(workers=[MODEL]), TIMEOUT_S, "always"),
        (PoolSettings(workers=[AGENT]), AGENT_TIMEOUT_S, "unsent"),
        (PoolSettings(workers=[AGENT, MODEL]), TIMEOUT_S, "always"),
        (PoolSettings(workers=[AGENT], timeout_s=9.0, redeliver="always"), 9.0, "always"),
        (PoolSettings(workers=[MODEL], timeout_s=9.0, redeliver="never"), 9.0, "never"),
    ],
)
def test_agents_get_more_time_and_are_not_started_twice(pool: PoolSettings, timeout_s: float, redeliver: str) -> None:
    """Where all workers of a pool are agents and nobody says otherwise; one model among them makes the difference."""
    assert (timeout_of(pool), redeliver_of(pool)) == (timeout_s, redeliver)


def test_a_fallback_rule_belongs_to_the_pool() -> None:
    """Of two classes that share a pool the one with a fallback counts, the first if both have one."""
    settings = Settings(
        classes={
            "plain": ClassSettings(pool="a"),
            "first": ClassSettings(pool="a", fallback=["b", "c"], fallback_after_s=7.0),
            "second": ClassSettings(pool="a", fallback=["b", "c"], fallback_after_s=9.0),
            "busy": ClassSettings(pool="b", fallback=["c"], fallback_on=["down", "busy"], fallback_after_s=0.0),
            "alone": ClassSettings(pool="c"),
        },
        pools={name: PoolSettings() for name in "abc"},
    )
    assert fallback_rules(settings) == {
        "a": FallbackRule(("b", "c"), 7.0, on_busy=False),
        "b": FallbackRule(("c",), 0.0, on_busy=True),
    }
