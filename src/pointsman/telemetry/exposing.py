"""Answers `/metrics`: takes a snapshot, and writes the page in a thread of its own.

Writing takes milliseconds, which messages would have to wait for in the event loop. The thread is its own, as workers
that block may have taken all others, and a router that cannot be read looks like one that is down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from pointsman.model.objectives import Level
from pointsman.ports import Clock
from pointsman.telemetry.metrics import Metrics
from pointsman.telemetry.snapshot import Snapshot

LEVELS_KEPT_S: Final = 10.0
"""How old the figures of the objectives may be: adding up a month takes milliseconds."""


class Exposing:
    """The page of one router.

    Args:
        metrics: what was counted.
        snapshot: reads everything else, given the objectives.
        levels: adds up how the objectives are kept.
        clock: time.
    """

    def __init__(
        self,
        metrics: Metrics,
        snapshot: Callable[[Sequence[Level]], Awaitable[Snapshot]],
        levels: Callable[[], Sequence[Level]],
        clock: Clock,
    ) -> None:
        self._metrics = metrics
        self._snapshot = snapshot
        self._add_up = levels
        self._clock = clock
        self._levels: Sequence[Level] = ()
        self._levels_until = float("-inf")
        self._thread = ThreadPoolExecutor(1, "metrics")

    async def page(self, accept: str) -> tuple[bytes, str]:
        """Return the body of `/metrics` and its content type, for an `Accept` header."""
        now = self._clock.monotonic()
        if now >= self._levels_until:
            self._levels_until = now + LEVELS_KEPT_S
            self._levels = self._add_up()
        snapshot = await self._snapshot(self._levels)
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._metrics.exposition, accept, snapshot
        )

    def close(self) -> None:
        """Let the thread go."""
        self._thread.shutdown(wait=False)
