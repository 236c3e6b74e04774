"""Waking: a pool's own dispatcher and its helpers, at the times at which they may be needed."""

from __future__ import annotations

from pointsman.core.routing import FallbackRule
from pointsman.runtime.bell import Bell


class Told:
    """Remembers which topics were notified."""

    def __init__(self) -> None:
        self.topics: list[str] = []

    def notify(self, topic: str) -> None:
        self.topics.append(topic)

    async def wait(self, topic: str, until: float | None) -> None:
        raise AssertionError("ringing never waits")


def test_everyone_who_may_serve_is_woken() -> None:
    """The pool itself first, then its helpers; a pool without a rule has none."""
    told = Told()
    bell = Bell(told)
    bell.rules = {"planners": FallbackRule(("coders", "spare"), 5.0, on_busy=False)}
    bell.ring("planners")
    bell.ring("coders")
    assert told.topics == ["planners", "coders", "spare", "coders"]
    assert bell.topics("planners") == ("planners", "coders", "spare")


def test_a_busy_pool_rings_only_where_busy_counts() -> None:
    """Helpers that wait for a pool that is down have nothing to do with one that is busy."""
    told = Told()
    bell = Bell(told)
    bell.rules = {
        "planners": FallbackRule(("coders",), 5.0, on_busy=False),
        "coders": FallbackRule(("planners",), 5.0, on_busy=True),
    }
    for pool in ("planners", "spare"):
        bell.ring_if_busy_counts(pool)
    assert told.topics == []
    bell.ring_if_busy_counts("coders")
    assert told.topics == ["coders", "planners"]
