"""Sums of what messages took: what is added, what is left out, and that rows are bounded."""

from __future__ import annotations

import pytest

from pointsman.core.cost_book import CLIENT, KINDS, MOST_NAMED, OTHER, WORKER, Book, Sums
from pointsman.model.usage import Usage


def sums(*attempts: tuple[int, Usage, float | None, float | None]) -> Sums:
    """Return the sums of some attempts."""
    made = Sums()
    for attempt in attempts:
        made.add(*attempt)
    return made


def test_a_row_says_what_was_added() -> None:
    """Tokens by kind, money, savings, and the share of the input that a cache had."""
    row = sums((1, Usage(100, 60, 10, 20), 0.5, 1.5), (0, Usage(100, 0, 0, 30), 0.25, -0.5)).row("a")
    assert (row.name, row.messages) == ("a", 1)
    assert (row.input_tokens, row.cached_input_tokens, row.cache_write_tokens, row.output_tokens) == (200, 60, 10, 50)
    assert (row.money, row.savings, row.unpriced_tokens) == (0.75, 1.0, 0)
    assert row.cached_input_share == pytest.approx(0.3)


def test_what_has_no_price_is_not_money_but_counted() -> None:
    """None where nothing had one; where some had, their money, and the tokens of the others beside it."""
    row = sums((1, Usage(100, 0, 0, 20), None, None)).row("a")
    assert (row.money, row.savings, row.unpriced_tokens) == (None, None, 120)
    row = sums((1, Usage(100, 0, 0, 20), None, None), (1, Usage(1, 0, 0, 1), 0.0, None)).row("a")
    assert (row.money, row.savings, row.unpriced_tokens) == (0.0, None, 120)


def test_without_input_there_is_no_share_of_it() -> None:
    """None, not 0."""
    assert sums().row("a").cached_input_share is None
    assert sums((1, Usage(0, 0, 0, 5), None, None)).row("a").cached_input_share is None


def test_merged_sums_are_the_sums_of_all() -> None:
    """Every field."""
    one, two = (1, Usage(100, 60, 10, 20), 0.5, 1.5), (1, Usage(7, 1, 2, 3), None, None)
    merged = sums(one)
    merged.merge(sums(two))
    assert merged.row("a") == sums(one, two).row("a")


def test_names_beyond_the_bound_share_a_row() -> None:
    """Those that have a row keep it."""
    book = Book()
    for number in range(MOST_NAMED + 5):
        book.of(CLIENT, str(number)).add(1, Usage(1), None, None)
    book.of(CLIENT, "0").add(1, Usage(1), None, None)
    assert len(book.kinds[CLIENT]) == MOST_NAMED + 1
    assert book.of(CLIENT, OTHER).messages == 5
    assert book.of(CLIENT, "0").messages == 2


def test_a_merged_book_holds_every_kind() -> None:
    """Total, and the rows of each kind by name."""
    one, two = Book(), Book()
    for book, client in ((one, "a"), (two, "a"), (two, "b")):
        book.total.add(1, Usage(10), 1.0, None)
        book.of(CLIENT, client).add(1, Usage(10), 1.0, None)
        book.of(WORKER, "w").add(1, Usage(10), 1.0, None)
    one.merge(two)
    shown = one.shown((0, 86_400), 10)
    assert (shown.start, shown.end, shown.total.messages) == (0, 86_400, 3)
    assert {row.name: row.messages for row in shown.clients} == {"a": 2, "b": 1}
    assert {row.name: row.money for row in shown.workers} == {"w": 3.0}


def test_those_who_took_most_come_first_and_no_more_than_asked_for() -> None:
    """By money, then by tokens; each kind by itself."""
    book = Book()
    for number in range(len(KINDS)):
        book.of(number, "cheap").add(1, Usage(1000), 0.1, None)
        book.of(number, "dear").add(1, Usage(1), 0.2, None)
        book.of(number, "free").add(1, Usage(500), None, None)
        book.of(number, "tiny").add(1, Usage(5), None, None)
    shown = book.shown((0, 1), 3)
    for kind in KINDS:
        assert [row.name for row in getattr(shown, kind)] == ["dear", "cheap", "free"]
