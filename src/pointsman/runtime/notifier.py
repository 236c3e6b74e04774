"""Signals inside one process: level-triggered, mergeable, with an optional time at which to look anyway."""

from __future__ import annotations

import asyncio

from pointsman.ports import Clock


class LocalNotifier:
    """Implements `ports.Notifier` for one event loop; one waiter a topic."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._set: set[str] = set()
        self._waiting: dict[str, asyncio.Future[None]] = {}

    def notify(self, topic: str) -> None:
        """Wake whoever waits for the topic, or let the next wait return at once."""
        waiter = self._waiting.get(topic)
        if waiter is None:
            self._set.add(topic)
        elif not waiter.done():
            waiter.set_result(None)

    async def wait(self, topic: str, until: float | None) -> None:
        """Return at the next signal, at once if one came since the last wait, or at `until` (monotonic seconds)."""
        if topic in self._set:
            self._set.discard(topic)
            return
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiting[topic] = waiter
        timer = None
        if until is not None:
            timer = loop.call_later(max(0.0, until - self._clock.monotonic()), _wake, waiter)
        try:
            await waiter
        finally:
            del self._waiting[topic]
            if timer is not None:
                timer.cancel()


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
