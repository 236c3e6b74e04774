"""Who must look when something may have become possible for a pool: its own dispatcher, and those that may help it.

Waking one too many costs a look; waking one too few leaves a message lying. So helpers are woken whenever the pool is.
"""

from __future__ import annotations

from collections.abc import Mapping

from pointsman.core.routing import FallbackRule
from pointsman.ports import Notifier


class Bell:
    """Wakes dispatchers by pool. `rules` are the fallback rules; assembly sets them, and a reload sets them anew."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self.rules: Mapping[str, FallbackRule] = {}

    def topics(self, pool: str) -> tuple[str, ...]:
        """Return the topics of those who may serve a pool's messages: the pools' names, its own first."""
        rule = self.rules.get(pool)
        return (pool, *rule.helpers) if rule else (pool,)

    def ring(self, pool: str) -> None:
        """Let everyone who may serve a pool's messages look for some."""
        for topic in self.topics(pool):
            self._notifier.notify(topic)

    def ring_if_busy_counts(self, pool: str) -> None:
        """The pool has become busy: where its helpers go by that, let them begin to wait."""
        rule = self.rules.get(pool)
        if rule is not None and rule.on_busy:
            self.ring(pool)
