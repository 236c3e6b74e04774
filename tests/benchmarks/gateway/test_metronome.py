"""The metronome calls what is due, in order, and nothing before its time."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.gateway.metronome import Metronome


@pytest.mark.real_loop
async def test_calls_come_in_the_order_of_their_times_and_not_early() -> None:
    """Near and far times, one in the past and one added by another call, whichever way each is waited for."""
    metronome = Metronome()
    began = metronome.now()
    came: list[tuple[str, float]] = []
    done = asyncio.get_running_loop().create_future()

    def note(name: str, due: float) -> None:
        metronome.at(due, lambda: came.append((name, metronome.now() - due)))

    note("far", began + 0.02)
    note("near", began + 0.001)
    note("past", began - 1.0)
    metronome.at(began + 0.002, lambda: note("added", began + 0.01))
    metronome.at(began + 0.03, lambda: done.set_result(None))
    await done
    assert [name for name, _ in came] == ["past", "near", "added", "far"]
    assert all(late >= 0.0 for _, late in came)
