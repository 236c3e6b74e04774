"""Periods: days and months in UTC, without gaps and without overlap."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.periods import period_of, written


def wall(text: str) -> float:
    """Return Unix seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("per", "at", "start", "end"),
    [
        ("day", "2026-03-01T00:00:00", "2026-03-01", "2026-03-02"),
        ("day", "2026-03-01T23:59:59", "2026-03-01", "2026-03-02"),
        ("month", "2026-02-28T12:00:00", "2026-02-01", "2026-03-01"),
        ("month", "2028-02-29T12:00:00", "2028-02-01", "2028-03-01"),
        ("month", "2026-12-31T23:59:59", "2026-12-01", "2027-01-01"),
    ],
)
def test_a_period_ends_where_the_next_begins(per: str, at: str, start: str, end: str) -> None:
    """Midnight belongs to the day that begins; months have their own lengths."""
    assert period_of(per, wall(at)) == (wall(start), wall(end))


@given(per=st.sampled_from(["day", "month"]), at=st.floats(0, 4_000_000_000))
def test_every_instant_lies_in_one_period(per: str, at: float) -> None:
    """The period around an instant holds it, and is the period around its own first and last moment."""
    start, end = period_of(per, at)
    assert start <= at < end
    assert period_of(per, start) == period_of(per, end - 0.001) == (start, end)


def test_an_instant_is_written_in_utc() -> None:
    """To the second, with a Z."""
    assert written(wall("2026-03-01T00:00:00") + 0.9) == "2026-03-01T00:00:00Z"
