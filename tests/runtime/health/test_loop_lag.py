from __future__ import annotations

from pointsman.runtime.health.loop_lag import LoopCheck
from pointsman.sim import SimClock


class Late(SimClock):
    """A clock whose sleeps end late."""

    late_s = 0.0

    async def sleep_until(self, when_s: float) -> None:
        await super().sleep_until(when_s + self.late_s)


async def test_a_loop_that_is_late_is_a_warning_and_then_a_failure() -> None:
    """By the last round, and by a few short sleeps."""
    clock = Late()
    check = LoopCheck(clock)
    for late_s, status in ((0.2, "pass"), (0.3, "warn"), (1.9, "warn"), (2.1, "fail")):
        clock.late_s = check.late_s = late_s
        assert check.probe().status.value == status
        assert (await check.look()).status.value == status
