from __future__ import annotations

import pytest

from pointsman.cli import figures


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "-"),
        (0.0, "0 s"),
        (0.000_012_3, "12.3 us"),
        (0.001_234, "1.23 ms"),
        (0.5, "500 ms"),
        (1.0, "1.00 s"),
        (75.0, "1.25 min"),
        (36_000.0, "10.0 h"),
        (864_000.0, "10.0 d"),
    ],
)
def test_a_duration_has_three_digits_and_the_unit_that_suits_it(seconds, shown):
    """From microseconds to days."""
    assert figures.duration(seconds) == shown


def test_a_share_is_shown_in_percent():
    """One digit after the point; nothing known is a dash."""
    assert figures.share(0.985) == "98.5 %"
    assert figures.share(None) == "-"


@pytest.mark.parametrize(("value", "filled"), [(0.0, 0), (0.5, 5), (1.0, 10), (7.0, 10), (-1.0, 0)])
def test_a_bar_is_filled_by_its_share_and_always_as_wide(value, filled):
    """Values out of range fill it, or leave it empty."""
    assert figures.bar(value, 10) == "█" * filled + "░" * (10 - filled)


def test_an_instant_is_a_date_and_one_beyond_the_calendar_is_a_dash():
    """What a clock gone wrong wrote does not end a command."""
    assert figures.instant(1_800_000_000.0).startswith("2027-01-1")
    assert figures.instant(1e20) == "-"
    assert figures.instant(float("nan")) == "-"
    assert figures.instant(None) == "-"


def test_a_count_has_the_right_form_of_its_noun():
    """One message, two messages, and nouns that are irregular."""
    assert figures.count(1, "message") == "1 message"
    assert figures.count(1200, "message") == "1,200 messages"
    assert figures.count(2, "entry", "entries") == "2 entries"


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-5, "0 s"), (0.4, "0 s"), (59, "59 s"), (60, "1 min"), (7_300, "2 h"), (900_000, "10 d")]
)
def test_an_age_is_a_whole_number_of_the_largest_unit(seconds, shown):
    """A clock that is a little ahead makes nothing negative."""
    assert figures.age(1_000_000.0 - seconds, 1_000_000.0) == shown
    assert figures.age(None, 0.0) == "-"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "-"),
        (0.0, "0.00 EUR"),
        (1234567.891, "1,234,567.89 EUR"),
        (1.0, "1.00 EUR"),
        (0.5, "0.5000 EUR"),
        (0.0123456, "0.01235 EUR"),
        (1.5e-7, "0.0000001500 EUR"),
        (-0.25, "-0.2500 EUR"),
    ],
)
def test_money_has_two_places_or_four_digits(value: float | None, written: str) -> None:
    """A message may cost a millionth."""
    assert figures.money(value, "EUR") == written


@pytest.mark.parametrize(("value", "said"), [(0.00003, "0.00003"), (0.0, "0"), (2.5, "2.5"), (1e6, "1000000")])
def test_an_amount_has_no_exponent(value: float, said: str) -> None:
    """Nobody reads 3e-05 as money."""
    assert figures.amount(value) == said
