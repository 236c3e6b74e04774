"""The book: minutes by the wall clock, time measured by what both clocks agree on."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.slo_book import Book, Instant
from pointsman.core.slo_lines import Hour, RolledBack
from pointsman.core.slo_rings import DAY_S, HOUR_S
from pointsman.core.slo_tally import Layout, Tally
from pointsman.model.states import Status
from pointsman.testing.make import envelope

BASE = 1_772_000_000.0 - 1_772_000_000.0 % HOUR_S


def book(wall: float = BASE) -> Book:
    """Return a book that has begun at monotonic 0."""
    made = Book(Layout(), 30 * DAY_S, 900.0)
    made.begin(Instant(0.0, wall))
    return made


def test_a_turn_is_due_at_the_next_minute_of_the_wall_clock() -> None:
    """Not a minute after the start."""
    made = Book(Layout(), DAY_S, 900.0)
    assert made.until == inf
    made.begin(Instant(100.0, BASE + 17.5))
    assert made.until == 142.5


def test_what_was_counted_belongs_to_the_minute_in_which_it_was() -> None:
    """Even if the turn comes late."""
    made = book(BASE + 59 * 60.0)
    made.ended(envelope(), Status.DELIVERED, None, 0.0, 0.1)
    made.turn(Instant(600.0, BASE + 59 * 60.0 + 600.0))
    (first, *_) = made.rings.hours.places(BASE, HOUR_S, BASE + DAY_S)
    assert (first.since, first.tally.messages, first.measured_s) == (BASE, 1, 60.0)


def test_a_book_that_has_not_begun_measures_nothing() -> None:
    """What happens before the start is counted when it has begun."""
    made = Book(Layout(), DAY_S, 900.0)
    made.ended(envelope(), Status.DELIVERED, None, 0.0, 0.1)
    made.turn(Instant(5.0, BASE))
    assert made.rings.sum(DAY_S, BASE).tally.messages == 0
    made.begin(Instant(5.0, BASE))
    made.turn(Instant(6.0, BASE + 1.0))
    assert made.rings.sum(DAY_S, BASE + 1.0).tally.messages == 1


@pytest.mark.parametrize(
    ("mono_s", "wall_s", "measured_s"), [(60, 60, 60), (60, 600, 60), (600, 60, 60), (60, -600, 0), (60, 0, 0)]
)
def test_time_is_measured_where_both_clocks_agree(mono_s: float, wall_s: float, measured_s: float) -> None:
    """A clock set forward leaves a gap, one set back covers nothing twice, a slow one no more than it shows."""
    made = book()
    made.turn(Instant(mono_s, BASE + wall_s))
    assert sum(made.rings.hours.covered.values()) == measured_s


@given(st.lists(st.tuples(st.floats(0.0, 9_000.0), st.integers(0, 3), st.booleans()), max_size=25))
def test_what_is_written_is_what_is_known(steps: list[tuple[float, int, bool]]) -> None:
    """Lines written now and then, and read by the next run, add up to what this run knows by the hour."""
    first, lines, mono = book(), [], 0.0
    for length_s, messages, writes in steps:
        for _ in range(messages):
            first.ended(envelope(), Status.DELIVERED, None, 0.0, 0.1)
        mono += length_s
        first.turn(Instant(mono, BASE + mono))
        if writes:
            lines += first.unwritten()
    lines += first.unwritten()
    assert first.unwritten() == []
    second, now = Book(Layout(), 30 * DAY_S, 900.0), BASE + mono
    for line in lines:
        assert isinstance(line, Hour)
        tally = Tally(second.layout)
        for name, count in line.counts.items():
            tally.count(name, count)
        second.recall(line, tally, now)
    assert second.rings.hours.covered == pytest.approx(first.rings.hours.covered)
    totals = [one.rings.hours.sum(30 * DAY_S, now).tally.messages for one in (first, second)]
    assert totals[0] == totals[1] == sum(messages for _, messages, _ in steps)


def test_lines_of_another_age_are_left_out() -> None:
    """Older than the window, or of a future that has not come."""
    made = Book(Layout(), DAY_S, 900.0)
    tally = Tally(made.layout)
    tally.count("delivered")
    for at in (BASE - 3 * DAY_S, BASE + HOUR_S):
        made.recall(Hour(at, 60.0), tally, BASE)
        made.recall(RolledBack(at, 1.0), None, BASE)
    assert (len(made.rings.hours), len(made.rollbacks)) == (0, 0)
    made.recall(Hour(BASE - HOUR_S, 60.0), tally, BASE)
    made.recall(RolledBack(BASE - HOUR_S, 1.0), None, BASE)
    assert (len(made.rings.hours), len(made.rollbacks)) == (1, 1)


def test_a_summary_is_the_whole_journal_in_short() -> None:
    """The bounds, one line an hour, the rollbacks."""
    made = book()
    for minute in range(150):
        made.ended(envelope(), Status.DELIVERED, None, 0.0, 0.1)
        made.turn(Instant(minute * 60.0, BASE + minute * 60.0))
    made.ordered_back(9000.0)
    made.legacy_answered(Instant(9001.0, BASE + 9001.0), 0.25, ok=True)
    names = [type(line).__name__ for line in made.summary()]
    assert names == ["Bounds", "Hour", "Hour", "Hour", "RolledBack"]
    assert [type(line).__name__ for line in made.unwritten()].count("RolledBack") == 1
    assert [type(line).__name__ for line in made.unwritten()].count("RolledBack") == 0


def test_a_component_that_nobody_checks_for_a_day_is_forgotten() -> None:
    """It is gone; until then every minute counts against us."""
    made = book()
    made.checked("old", 0.0)
    for minute in range(1, 2 * 1440):
        made.turn(Instant(minute * 60.0, BASE + minute * 60.0))
    tally = made.rings.hours.sum(3 * DAY_S, BASE + 2 * DAY_S).tally
    assert (tally.of("health_fresh"), tally.of("health_stale")) == (16, 1425)
