"""For how long a stage has lasted, whatever the wall clock says."""

from __future__ import annotations

import pytest

from pointsman.runtime.rollout.stage_time import StageTime
from pointsman.testing.clock import FakeClock


def test_time_passes_by_the_clock_that_only_grows():
    """A wall clock that jumps, either way, changes nothing."""
    clock = FakeClock()
    time = StageTime(clock)
    time.begin()
    clock.advance(10.0)
    clock.shift_wall(-1e6)
    assert time.elapsed_s() == 10.0
    clock.shift_wall(1e9)
    clock.advance(5.0)
    assert time.elapsed_s() == 15.0


@pytest.mark.parametrize(("ago_s", "elapsed_s"), [(100.0, 100.0), (-100.0, 0.0)])
def test_over_a_restart_the_wall_clock_is_all_there_is(ago_s, elapsed_s):
    """A beginning that seems to lie ahead makes the stage young."""
    clock = FakeClock()
    time = StageTime(clock)
    time.restore(clock.wall() - ago_s)
    assert time.since == clock.wall() - ago_s
    assert time.elapsed_s() == elapsed_s
    clock.advance(7.0)
    assert time.elapsed_s() == elapsed_s + 7.0


def test_a_stage_that_never_began_has_no_beginning():
    """It is as old as the process."""
    clock = FakeClock()
    time = StageTime(clock)
    time.restore(None)
    assert time.since is None
    clock.advance(1.0)
    assert time.elapsed_s() == 1.0
