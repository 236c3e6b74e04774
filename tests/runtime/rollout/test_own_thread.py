"""A thread of one's own: one call after the other, and nobody else's."""

from __future__ import annotations

import asyncio
import threading

import pytest

from pointsman.runtime.rollout.own_thread import OwnThread


@pytest.mark.real_loop
async def test_calls_run_one_after_the_other_in_a_thread_of_this_name() -> None:
    """Not in the loop's; what they raise is the caller's."""
    own = OwnThread("rollout test")
    names = await asyncio.gather(*(own(lambda: threading.current_thread().name) for _ in range(3)))
    assert len(set(names)) == 1
    assert names[0].startswith("rollout test")
    assert await own(max, 1, 2) == 2
    with pytest.raises(ZeroDivisionError):
        await own(divmod, 1, 0)
    own.close()


@pytest.mark.real_loop
async def test_after_the_end_a_call_starts_another_thread() -> None:
    """So that what was closed may be opened again."""
    own = OwnThread("rollout test")
    first = await own(threading.current_thread)
    own.close()
    own.close()
    assert await own(threading.current_thread) is not first
    own.close()
