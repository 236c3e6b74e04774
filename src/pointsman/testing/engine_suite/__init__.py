"""The conformance suite for engines: one library of cases that every engine must pass, ours and yours.

Each case is an async function of a `Bench`: an open engine, the clock it was given, and a way to make envelopes. To run
them against your own engine:

    from pointsman.testing.engine_suite import CASES, Bench

    @pytest.mark.parametrize("case", CASES.values(), ids=CASES)
    async def test_conformance(case):
        clock = SimClock()
        engine = MyEngine(...)                      # queues "a" and "b", leases of 30 s, at most 50 messages waiting
        await engine.open()
        try:
            await case(Bench(engine, clock))
        finally:
            await engine.close()

Idea: riverqueue/river `riverdriver/riverdrivertest`.
"""

from __future__ import annotations

from pointsman.testing.engine_suite import accounts, admission, cancel, hand_out, keys, leases, serial, settle, time
from pointsman.testing.engine_suite.bench import CASES, LEASE_S, MAX_QUEUED, Bench, Case

TOPICS = (admission, hand_out, settle, time, leases, serial, cancel, accounts, keys)
"""The cases by topic, in reading order; importing them is what fills `CASES`."""

__all__ = ["CASES", "LEASE_S", "MAX_QUEUED", "TOPICS", "Bench", "Case"]
