from __future__ import annotations

import random
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.health_schedule import Schedule

DAY_S = 86_400.0


def walk(schedule: Schedule, until: float, step_s: float | None = None) -> dict[str, list[float]]:
    """Return when each component was due; `step_s` looks at fixed times instead of at the right ones."""
    found: dict[str, list[float]] = {}
    now = 0.0
    while True:
        now = schedule.next_due() if step_s is None else now + step_s
        if now >= until:
            return found
        for name in schedule.due(now):
            found.setdefault(name, []).append(now)


@given(st.integers(0, 2**32), st.floats(1.0, 3_600.0), st.floats(0.0, 1e7))
def test_each_interval_has_exactly_one_look(seed: int, every_s: float, start: float) -> None:
    """Whatever chance says, and wherever the clock stands."""
    schedule = Schedule(every_s, random.Random(seed))
    schedule.join("engine", start)
    slots = []
    for _ in range(200):
        now = schedule.next_due()
        assert schedule.due(now) == ["engine"]
        slots.append((now - start) / every_s)
    assert all(slot - 1e-6 <= place <= slot + 0.2 + 1e-6 for slot, place in enumerate(slots))


def test_a_day_has_96_looks_at_each_component_and_they_are_spread() -> None:
    """A quarter of an hour each; no two components share their moments."""
    schedule = Schedule(900.0, random.Random(1))
    for name in ("a", "b", "c"):
        schedule.join(name, 0.0)
    found = walk(schedule, DAY_S)
    assert {name: len(times) for name, times in found.items()} == {"a": 96, "b": 96, "c": 96}
    assert len({time for times in found.values() for time in times}) == 3 * 96


def test_looks_are_jittered_by_a_tenth_each_way() -> None:
    """And use what they may."""
    schedule = Schedule(100.0, random.Random(2))
    schedule.join("a", 0.0)
    places = [time % 100.0 for time in walk(schedule, 100_000.0)["a"]]
    assert 0.0 <= min(places) < 1.0
    assert 19.0 < max(places) <= 20.0


def test_an_interval_that_was_slept_through_is_not_made_up_for() -> None:
    """One look afterwards, and the plan goes on."""
    schedule = Schedule(100.0, random.Random(3))
    schedule.join("a", 0.0)
    assert schedule.due(1_050.0) == ["a"]
    assert schedule.due(1_050.0) == []
    assert 1_100.0 <= schedule.next_due() <= 1_120.0


def test_who_looks_seldom_still_looks_once_an_interval() -> None:
    """A loop that wakes each minute finds 96 looks in a day."""
    schedule = Schedule(900.0, random.Random(4))
    schedule.join("a", 0.0)
    assert len(walk(schedule, DAY_S, 60.0)["a"]) == 96


def test_a_component_that_leaves_is_planned_no_longer() -> None:
    """Joining again begins anew; joining twice changes nothing."""
    schedule = Schedule(100.0, random.Random(5))
    assert schedule.next_due() == inf
    schedule.join("a", 0.0)
    due = schedule.next_due()
    schedule.join("a", 50.0)
    assert schedule.next_due() == due
    schedule.leave("a")
    schedule.leave("unknown")
    assert schedule.due(1e9) == []
