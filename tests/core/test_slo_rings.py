"""Rings: everything that happened is in the minute and the hour in which it did, and nowhere twice."""

from __future__ import annotations

from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.slo_rings import DAY_S, HOUR_S, MINUTE_S, Ring, Rings
from pointsman.core.slo_tally import LEGACY, Layout, Tally

LAYOUT = Layout()
START = 1_772_000_000.0 + 17.25


def one(seconds: float) -> Tally:
    """Return a tally of one answer."""
    tally = Tally(LAYOUT)
    tally.time(LEGACY, seconds)
    return tally


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["run", "run", "run", "off"]),
        st.floats(0.5, 20_000.0),
        st.lists(st.floats(0.0, 0.2), max_size=3),
    ),
    min_size=1,
    max_size=25,
)


class Reference:
    """The same by remembering everything."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, float]] = []
        self.ran: list[tuple[float, float]] = []

    def times(self, since: float) -> list[float]:
        """Return the times of answers since."""
        return sorted(seconds for at, seconds in self.seen if at >= since)

    def measured_s(self, since: float) -> float:
        """Return for how long it ran since."""
        return sum(max(0.0, until - max(begin, since)) for begin, until in self.ran)


@given(STEPS, st.sampled_from([MINUTE_S, 3 * MINUTE_S, HOUR_S, 5.5 * HOUR_S, DAY_S]))
def test_a_window_holds_what_happened_in_it_and_covers_the_time_that_was_measured(
    steps: list[tuple[str, float, list[float]]], window_s: float
) -> None:
    """Against a list of everything; the window begins with a whole minute, or a whole hour."""
    rings, reference, now = Rings(LAYOUT, 30 * DAY_S), Reference(), START
    for what, length_s, answers in steps:
        if what == "run":
            for seconds in answers:
                rings.add(now, one(seconds))
                reference.seen.append((now, seconds))
            rings.cover(now, now + length_s)
            reference.ran.append((now, now + length_s))
        now += length_s
    for ring in (rings.minutes, rings.hours):
        found = ring.sum(window_s, now)
        since = floor((now - window_s) / ring.step_s) * ring.step_s
        expected = reference.times(since)
        assert (found.since, found.until) == (since, now)
        assert found.tally.timed(LEGACY) == len(expected)
        assert found.tally.sums[LEGACY] == pytest.approx(sum(expected))
        assert found.tally.above(LEGACY, 0.045) == sum(1 for seconds in expected if seconds > 0.045)
        assert found.measured_s == pytest.approx(reference.measured_s(since), abs=1e-3)
        assert found.coverage_share == pytest.approx(reference.measured_s(since) / (now - since), abs=1e-6)


@given(STEPS, st.sampled_from([HOUR_S, DAY_S]))
def test_the_past_by_hours_or_days_is_the_same_past(steps: list[tuple[str, float, list[float]]], step_s: float) -> None:
    """Cut otherwise: nothing is lost between two periods or stands in both."""
    rings, now, count = Rings(LAYOUT, 30 * DAY_S), START, 0
    for what, length_s, answers in steps:
        for seconds in answers:
            rings.add(now, one(seconds))
            count += 1
        if what == "run":
            rings.cover(now, now + length_s)
        now += length_s
    places = list(rings.hours.places(START - HOUR_S, step_s, now))
    assert sum(place.tally.timed(LEGACY) for place in places) == count
    assert sum(place.measured_s for place in places) == pytest.approx(rings.hours.sum(30 * DAY_S, now).measured_s)
    assert [place.since for place in places] == sorted({place.since for place in places})
    assert all(place.since % step_s == 0 and place.coverage_share <= 1.0 for place in places)


def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    """A day of minutes, 30 days of hours, however long it runs."""
    rings = Rings(LAYOUT, 30 * DAY_S)
    for hour in range(40 * 24):
        at = START + hour * HOUR_S
        rings.add(at, one(0.1))
        rings.cover(at, at + HOUR_S)
    now = START + 40 * DAY_S
    assert len(rings.minutes.covered) <= 1441
    assert (len(rings.hours), len(rings.hours.covered)) == (720, 721)
    assert len(rings.minutes) <= 25
    assert rings.sum(30 * DAY_S, now).tally.timed(LEGACY) == 720
    assert rings.sum(30 * DAY_S, now).coverage_share == pytest.approx(1.0)


def test_no_time_is_covered_twice() -> None:
    """Two who measured the same hour cover it once."""
    ring = Ring(LAYOUT, HOUR_S, 24)
    base = START - START % HOUR_S
    ring.cover(base, base + HOUR_S)
    ring.cover(base + 60.0, base + HOUR_S)
    assert ring.sum(HOUR_S, base + HOUR_S).measured_s == HOUR_S
    ring.cover(base + HOUR_S, base + HOUR_S)
    assert ring.covered == {floor(base / HOUR_S): HOUR_S}


def test_a_window_of_a_day_is_by_hours_where_these_know_more() -> None:
    """After a restart the journal has brought hours, and no minutes."""
    rings, base = Rings(LAYOUT, 30 * DAY_S), START - START % HOUR_S
    rings.hours.cover(base, base + 2 * HOUR_S)
    rings.cover(base + 2 * HOUR_S, base + 2.5 * HOUR_S)
    assert rings.sum(2.5 * HOUR_S, base + 2.5 * HOUR_S).step_s == HOUR_S
    assert rings.sum(HOUR_S / 2, base + 2.5 * HOUR_S).step_s == MINUTE_S


def test_a_clock_that_goes_back_beyond_all_memory_begins_anew() -> None:
    """What was counted by the wrong time would keep everything else out until that time comes."""
    ring = Ring(LAYOUT, HOUR_S, 24)
    ring.add(START + 1000 * DAY_S, one(0.1))
    ring.cover(START, START + HOUR_S)
    ring.add(START, one(0.1))
    assert ring.sum(2 * HOUR_S, START + HOUR_S).tally.timed(LEGACY) == 1
