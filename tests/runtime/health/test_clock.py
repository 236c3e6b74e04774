from __future__ import annotations

from pointsman.runtime.health.clock import ClockCheck
from pointsman.sim import SimClock


async def test_a_step_of_the_wall_clock_is_a_warning_once() -> None:
    """Told by probes until a deep look has seen it; small corrections are none."""
    clock = SimClock()
    check = ClockCheck(clock)
    clock.shift_wall(0.9)
    assert (await check.look()).status.value == "pass"
    for step_s in (2.0, -3_600.0):
        clock.shift_wall(step_s)
        await clock.sleep(10.0)
        assert check.probe().status.value == "warn"
        finding = await check.look()
        assert (finding.status.value, round(finding.observed or 0.0, 3)) == ("warn", step_s)
        assert (await check.look()).status.value == "pass"
