"""What messages took: tokens, money and savings, today and this month, by client, class, worker, key and group.

Counts as attempts end, also those that failed or were cancelled: what they took was paid for. In memory, since the
start of the process; what must survive it is the business of budgets (`runtime.spending`). Days and months are those of
UTC. What is added up stands in `core.cost_book`.
"""

from __future__ import annotations

from collections.abc import Callable

from pointsman.core.cost_book import CLASS, CLIENT, GROUP, KEY, WORKER, Book, CostPeriod, CostRow
from pointsman.core.periods import DAY, MONTH, period_of
from pointsman.model.events import AttemptEnded, Event
from pointsman.model.usage import Usage
from pointsman.ports import Clock


class Accounts:
    """The accounts of one router. An observer of events.

    Args:
        clock: time; days begin by the wall clock.
        at_the_dearest: what the same tokens would have cost at the dearest class's model, or None.
    """

    def __init__(self, clock: Clock, at_the_dearest: Callable[[Usage], float | None]) -> None:
        self._clock = clock
        self._at_the_dearest = at_the_dearest
        self.since = clock.wall()
        self._day = period_of(DAY, self.since)
        self._month = period_of(MONTH, self.since)
        self._today = Book()
        self._before = Book()

    def observe(self, event: Event) -> None:
        """Count an attempt that took tokens."""
        if type(event) is not AttemptEnded or event.usage is None:
            return
        if self._clock.wall() >= self._day[1]:
            self._turn()
        envelope, usage, cost = event.envelope, event.usage, event.cost
        saved = None
        if cost is not None:
            dearest = self._at_the_dearest(usage)
            saved = None if dearest is None else dearest - cost
        # While the message's sum is this attempt's own, it is the first that took anything: there the message counts.
        first = int(envelope.usage is usage)
        book = self._today
        of = book.of
        book.total.add(first, usage, cost, saved)
        of(CLIENT, envelope.client).add(first, usage, cost, saved)
        if envelope.classification is not None:
            of(CLASS, envelope.classification.message_class).add(first, usage, cost, saved)
        of(WORKER, event.worker).add(1, usage, cost, saved)
        if envelope.key_id:
            of(KEY, envelope.key_id).add(first, usage, cost, saved)
        if envelope.group:
            of(GROUP, envelope.group).add(first, usage, cost, saved)

    def _turn(self) -> None:
        """Begin another day, and another month where it is time. A clock that goes back turns nothing back."""
        now = self._clock.wall()
        self._day = period_of(DAY, now)
        if now >= self._month[1]:
            self._month = period_of(MONTH, now)
            self._before = Book()
        else:
            self._before.merge(self._today)
        self._today = Book()

    def today(self, most: int) -> CostPeriod:
        """Return the day so far, with at most `most` rows of each kind."""
        if self._clock.wall() >= self._day[1]:
            self._turn()
        return self._today.shown(self._day, most)

    def month(self, most: int) -> CostPeriod:
        """Return the month so far, with at most `most` rows of each kind."""
        if self._clock.wall() >= self._day[1]:
            self._turn()
        book = Book()
        book.merge(self._before)
        book.merge(self._today)
        return book.shown(self._month, most)

    def total_today(self) -> CostRow:
        """Return what everything took today; cheaper than `today`."""
        if self._clock.wall() >= self._day[1]:
            self._turn()
        return self._today.total.row("")
