"""One timer for what is waited for, in virtual time."""

from __future__ import annotations

import asyncio

from pointsman.http.patience import LOOKS_S, NEVER, Patience


class Counted(Patience):
    """Notes when the time was over, on a loop that counts timers."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.began = self.loop.time()
        self.over: list[float] = []
        super().__init__(self.loop, lambda: self.over.append(self.loop.time() - self.began))

    def wait_s(self, seconds: float) -> None:
        """Wait so many seconds from the beginning."""
        self.wait(self.began + seconds)


async def test_an_end_comes_to_the_second() -> None:
    """Short or long, and once."""
    for seconds in (0.5, LOOKS_S, 75.0):
        patience = Counted()
        patience.wait_s(seconds)
        await asyncio.sleep(200.0)
        assert patience.over == [seconds]
        assert patience.until == NEVER


async def test_only_the_last_word_counts() -> None:
    """Later ends and earlier ones, before and after the timer has looked."""
    patience = Counted()
    for seconds in (75.0, 3.0, 40.0):
        patience.wait_s(seconds)
    await asyncio.sleep(20.0)
    assert patience.over == []
    patience.wait_s(25.0)
    await asyncio.sleep(200.0)
    assert patience.over == [25.0]


async def test_no_end_sets_no_timer() -> None:
    """What is given up is not looked at again after the next look."""
    patience = Counted()
    patience.wait_s(75.0)
    patience.until = NEVER
    await asyncio.sleep(LOOKS_S + 1.0)
    assert patience._timer is None
    patience.wait_s(100.0)
    await asyncio.sleep(200.0)
    assert patience.over == [100.0]


async def test_what_comes_in_time_costs_no_timer() -> None:
    """A thousand requests on one connection, one second each: a timer for each look, not for each request."""
    patience, timers = Counted(), list[asyncio.TimerHandle | None]([None])
    for second in range(1_000):
        patience.wait_s(second + 75.0)
        if patience._timer is not timers[-1]:
            timers.append(patience._timer)
        await asyncio.sleep(1.0)
    assert patience.over == []
    assert len(timers) <= 1_000 / LOOKS_S + 2
    patience.close()


async def test_closed_it_looks_no_more() -> None:
    """And may be closed again."""
    patience = Counted()
    patience.wait_s(1.0)
    patience.close()
    patience.close()
    await asyncio.sleep(10.0)
    assert patience.over == []
