"""Signals: none is lost between waits, many count as one, and a wait can end by itself."""

from __future__ import annotations

import asyncio

from pointsman.runtime.notifier import LocalNotifier
from pointsman.sim import SimClock


async def test_a_signal_before_the_wait_is_not_lost() -> None:
    """The next wait returns at once, and only the next."""
    clock = SimClock()
    notifier = LocalNotifier(clock)
    notifier.notify("t")
    notifier.notify("t")
    began = clock.monotonic()
    await notifier.wait("t", None)
    assert clock.monotonic() == began
    await notifier.wait("t", began + 5.0)
    assert clock.monotonic() == began + 5.0


async def test_a_signal_wakes_the_waiter_of_its_topic_only() -> None:
    """Other topics sleep on."""
    notifier = LocalNotifier(SimClock())
    woken: list[str] = []

    async def wait(topic: str, until: float | None) -> None:
        await notifier.wait(topic, until)
        woken.append(topic)

    waiters = [asyncio.ensure_future(wait(topic, None)) for topic in ("a", "b")]
    await asyncio.sleep(0)
    notifier.notify("b")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert woken == ["b"]
    notifier.notify("a")
    await asyncio.gather(*waiters)


async def test_a_time_in_the_past_returns_at_once() -> None:
    """A wait never goes back in time, and never hangs."""
    clock = SimClock()
    began = clock.monotonic()
    await LocalNotifier(clock).wait("t", began - 10.0)
    assert clock.monotonic() == began


async def test_a_cancelled_wait_leaves_the_topic_usable() -> None:
    """The next waiter of the topic is woken as usual."""
    clock = SimClock()
    notifier = LocalNotifier(clock)
    first = asyncio.ensure_future(notifier.wait("t", None))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    second = asyncio.ensure_future(notifier.wait("t", None))
    await asyncio.sleep(0)
    notifier.notify("t")
    await second
