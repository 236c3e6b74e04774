"""Every engine passes the conformance suite."""

from __future__ import annotations

import pytest

from pointsman.engines.local.engine import LocalEngine
from pointsman.model.settings import EngineSettings
from pointsman.sim import SimClock
from pointsman.testing.engine_suite import CASES, LEASE_S, MAX_QUEUED, Bench, Case


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_memory_engine_conforms(case: Case) -> None:
    """The local engine with nothing behind it keeps every promise of the port."""
    clock = SimClock()
    engine = LocalEngine(EngineSettings(max_queued=MAX_QUEUED, lease_s=LEASE_S), clock, ("a", "b"))
    await engine.open()
    try:
        await case(Bench(engine, clock))
    finally:
        await engine.close()
