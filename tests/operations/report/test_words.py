"""Figures in words: never a 0 or a 100 % that is none."""

from __future__ import annotations

import pytest

from pointsman.operations.report import words


def test_what_was_not_measured_is_said() -> None:
    """In every unit."""
    writers = (words.duration, words.share, words.number, words.decimal, words.megabytes, words.instant)
    assert {write(None) for write in writers} == {"not measured"}


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "100.0 %"), (0.99996, "99.996 %"), (0.9999999, "> 99.999 %"), (0.0, "0.0 %"), (0.00000001, "< 0.001 %")],
)
def test_a_share_near_all_is_not_all(value: float, text: str) -> None:
    """Nor is one near nothing nothing."""
    assert words.share(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 s"), (0.0123, "12.3 ms"), (45e-6, "45 us"), (59.6, "59.6 s"), (300.0, "5 min"), (9e8, "10,417 d")],
)
def test_a_duration_has_the_unit_that_suits_it(seconds: float, text: str) -> None:
    """With three digits."""
    assert words.duration(seconds) == text


def test_instants_are_utc() -> None:
    """A report is read elsewhere."""
    assert words.instant(1_772_000_000.0) == "2026-02-25 06:13:20 UTC"
    assert words.instant(1e300) == "not measured"
    assert words.day(1_772_000_000.0) == "2026-02-25"
    assert words.count(1, "message") == "1 message"
    assert words.count(2_000, "message") == "2,000 messages"
