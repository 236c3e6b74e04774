from __future__ import annotations

import asyncio
import threading

import pytest

from pointsman.model.health import HealthStatus, passed
from pointsman.runtime.health.threads import OneThread


@pytest.mark.real_loop
async def test_a_look_that_hangs_has_no_second_beside_it() -> None:
    """Its caller may give up; once it has ended, the next one runs."""
    one, let_go, entered = OneThread(), threading.Event(), []

    def hang() -> object:
        entered.append(1)
        let_go.wait()
        return passed("at last")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await one.look(hang)  # type: ignore[arg-type]
    second = await one.look(hang)  # type: ignore[arg-type]
    assert (second.status, len(entered)) == (HealthStatus.FAIL, 1)
    running = one._running
    assert running is not None
    let_go.set()
    await running
    assert (await one.look(lambda: passed("again"))).output == "again"
