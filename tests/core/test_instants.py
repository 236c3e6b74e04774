"""Facts about instants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.instants import parse_instant


@pytest.mark.parametrize(
    ("text", "unix"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("1970-01-01t00:00:01z", 1.0),
        ("1970-01-01 00:00:00.25Z", 0.25),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1969-12-31T19:00:00-05:00", 0.0),
        ("2026-11-24T12:30:00Z", 1795523400.0),
        ("0001-01-01T00:00:00+14:00", -62135647200.0),
    ],
)
def test_rfc_3339_is_read(text, unix):
    """Upper or lower case, a blank for the T, fractions, offsets."""
    assert parse_instant(text) == unix


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-11-24",
        "2026-11-24T12:30:00",
        "2026-11-24T12:30Z",
        "20261124T123000Z",
        "2026-W48-2T12:30:00Z",
        "2026-13-24T12:30:00Z",
        "2026-11-24T12:30:60Z",
        "2026-11-24T12:30:00+0100",
        "2026-11-24T12:30:00+25:00",
        "2026-11-24T12:30:00Z" + " " * 30,
        "２０２６-11-24T12:30:00Z",
        "1795523400",
    ],
)
def test_anything_else_is_none(text):
    """Dates alone, no offset, basic formats, weeks, impossible times, other digits."""
    assert parse_instant(text) is None


@given(
    st.datetimes(timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))),
)
def test_it_agrees_with_the_calendar(instant):
    """What the calendar writes is read back as the same instant."""
    assert parse_instant(instant.isoformat()) == (instant - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()


@given(st.text(max_size=45) | st.text(alphabet="0123456789-:TZ+. ", min_size=18, max_size=42))
def test_no_text_breaks_it(text):
    """An instant or None, never an exception."""
    assert parse_instant(text) is None or parse_instant(text.upper()) is not None
