"""Accounts: attempts are counted once each, by whom, on their day and in their month."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pointsman.model.events import AttemptEnded
from pointsman.model.message import Envelope
from pointsman.model.outcome import Delivered
from pointsman.model.usage import Usage
from pointsman.runtime.accounts import Accounts
from pointsman.testing.clock import FakeClock
from pointsman.testing.make import envelope

TOOK = Usage(100, 40, 0, 20)
DAY_S = 86_400.0


class Office:
    """Accounts that begin on a given day at noon."""

    def __init__(self, day: str = "2026-03-15", dearest: float | None = 2.0) -> None:
        begins = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC).timestamp()
        self.clock = FakeClock()
        self.clock.shift_wall(begins - self.clock.wall())
        self.accounts = Accounts(self.clock, lambda usage: dearest)

    def count(self, of: Envelope | None = None, worker: str = "w", cost: float | None = 0.5, **fields: Any) -> Envelope:
        """An attempt ends, as `MeasureDelivery` tells of it."""
        of = of or envelope(**fields)
        of.usage = TOOK if of.usage is None else of.usage.plus(TOOK)
        self.accounts.observe(AttemptEnded(0.0, of, "coders", worker, 1.0, 1.0, Delivered(worker), TOOK, cost))
        return of


def test_an_attempt_counts_for_everybody_it_concerns() -> None:
    """Client, class, worker, key and group; and for the whole."""
    office = Office()
    of = envelope(client="alice")
    of.key_id, of.group = "k1", "team"
    office.count(of)
    today = office.accounts.today(10)
    rows = {"clients": "alice", "classes": "tactical", "workers": "w", "keys": "k1", "groups": "team"}
    for kind, name in rows.items():
        (row,) = getattr(today, kind)
        assert (row.name, row.messages, row.input_tokens, row.money, row.savings) == (name, 1, 100, 0.5, 1.5)
    assert today.total.cached_input_share == pytest.approx(0.4)
    assert office.accounts.total_today() == today.total


def test_without_key_and_group_there_is_no_row_for_them() -> None:
    """Nobody is called nothing."""
    office = Office()
    office.count()
    assert (office.accounts.today(10).keys, office.accounts.today(10).groups) == ([], [])


def test_a_message_counts_once_and_its_attempts_for_their_workers() -> None:
    """Two attempts took tokens: one message of two workers, twice the tokens."""
    office = Office()
    of = office.count(worker="w1")
    office.count(of, worker="w2")
    today = office.accounts.today(10)
    assert (today.total.messages, today.total.input_tokens) == (1, 200)
    assert {row.name: row.messages for row in today.workers} == {"w1": 1, "w2": 1}


def test_an_attempt_that_took_nothing_is_not_counted() -> None:
    """It never reached a worker, or nobody knows."""
    office = Office()
    office.accounts.observe(AttemptEnded(0.0, envelope(), "coders", "w", 1.0, 1.0, Delivered("w")))
    assert office.accounts.today(10).total.messages == 0


@pytest.mark.parametrize(("dearest", "cost"), [(None, 0.5), (2.0, None)])
def test_savings_need_both_prices(dearest: float | None, cost: float | None) -> None:
    """Of the model that served, and of the dearest class."""
    office = Office(dearest=dearest)
    office.count(cost=cost)
    assert office.accounts.total_today().savings is None


def test_a_new_day_begins_at_nothing_and_the_month_goes_on() -> None:
    """At midnight in UTC."""
    office = Office()
    office.count(client="a")
    office.clock.shift_wall(DAY_S / 2)
    assert office.accounts.total_today().messages == 0
    office.count(client="a")
    office.count(client="b")
    assert office.accounts.today(10).total.messages == 2
    month = office.accounts.month(10)
    assert month.total.messages == 3
    assert {row.name: row.messages for row in month.clients} == {"a": 2, "b": 1}
    assert month.end - month.start == 31 * DAY_S


def test_a_new_month_begins_at_nothing() -> None:
    """Its first day is in it."""
    office = Office("2026-02-28")
    office.count()
    office.clock.shift_wall(DAY_S)
    office.count()
    assert office.accounts.month(10).total.messages == 1
    assert office.accounts.month(10).end - office.accounts.month(10).start == 31 * DAY_S


def test_a_clock_that_goes_back_counts_on() -> None:
    """Nothing is counted twice, nothing is lost, and no day begins again."""
    office = Office()
    office.clock.shift_wall(DAY_S)
    office.count()
    office.clock.shift_wall(-DAY_S)
    office.count()
    assert office.accounts.total_today().messages == 2
    assert office.accounts.month(10).total.messages == 2
