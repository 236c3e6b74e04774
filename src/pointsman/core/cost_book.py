"""Sums of what messages took, by kind and name: the figures of a day or a month.

Decides what is added up, what is left out of a sum of money, and whose row a name without room goes to. Does not know
when a day begins for its owner.

*Savings*: what the same tokens would have cost at the dearest class's model, less what they cost. *Cached-input share*:
input tokens read from a provider's cache of all input tokens, the figure for conversations that stay at their worker.

Bounded: of each kind the first `MOST_NAMED` names have a row; what comes later is counted under `other`.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nlargest
from typing import Final

import msgspec

from pointsman.model.usage import Usage

MOST_NAMED: Final = 10_000

OTHER: Final = "other"
"""Name of the row for whom there was no room."""

KINDS: Final = ("clients", "classes", "workers", "keys", "groups")
CLIENT, CLASS, WORKER, KEY, GROUP = range(len(KINDS))


class CostRow(msgspec.Struct, frozen=True):
    """What one client, class, worker, key or group took in a period; or all of them.

    Attributes:
        messages: messages that took tokens; of a worker: attempts.
        input_tokens: all of them, cached ones included.
        money: in the currency of the settings; None where nothing had a price.
        unpriced_tokens: tokens of models without a price, which no money stands for.
        savings: against sending everything to the dearest class; None where that has no price.
        cached_input_share: cached of all input tokens, 0..1; None without input.
    """

    name: str
    messages: int
    input_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    output_tokens: int
    money: float | None
    unpriced_tokens: int
    savings: float | None
    cached_input_share: float | None


class CostPeriod(msgspec.Struct, frozen=True):
    """A day or a month, from `start` to `end` (Unix seconds): everything, and those who took most of each kind."""

    start: float
    end: float
    total: CostRow
    clients: list[CostRow]
    classes: list[CostRow]
    workers: list[CostRow]
    keys: list[CostRow]
    groups: list[CostRow]


class Sums:
    """What one of them took. `compared`: attempts whose saving is known."""

    __slots__ = ("cached", "compared", "input", "messages", "money", "output", "priced", "saved", "unpriced", "written")

    def __init__(self) -> None:
        self.messages = self.input = self.cached = self.written = self.output = self.unpriced = 0
        self.priced = self.compared = 0
        self.money = self.saved = 0.0

    def add(self, messages: int, usage: Usage, cost: float | None, saved: float | None) -> None:
        """Count an attempt."""
        self.messages += messages
        self.input += usage.input_tokens
        self.cached += usage.cached_input_tokens
        self.written += usage.cache_write_tokens
        self.output += usage.output_tokens
        if cost is None:
            self.unpriced += usage.input_tokens + usage.output_tokens
        else:
            self.priced += 1
            self.money += cost
            if saved is not None:
                self.compared += 1
                self.saved += saved

    def merge(self, other: Sums) -> None:
        """Count what another one has counted."""
        for name in Sums.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def row(self, name: str) -> CostRow:
        """Return the sums as they are shown."""
        return CostRow(
            name=name,
            messages=self.messages,
            input_tokens=self.input,
            cached_input_tokens=self.cached,
            cache_write_tokens=self.written,
            output_tokens=self.output,
            money=self.money if self.priced else None,
            unpriced_tokens=self.unpriced,
            savings=self.saved if self.compared else None,
            cached_input_share=self.cached / self.input if self.input else None,
        )


class Book:
    """The sums of a period: of everything, and by kind and name."""

    __slots__ = ("kinds", "total")

    def __init__(self) -> None:
        self.total = Sums()
        self.kinds: tuple[dict[str, Sums], ...] = tuple({} for _ in KINDS)

    def of(self, kind: int, name: str) -> Sums:
        """Return the sums of a name, or those of `other` where there is no room for it."""
        rows = self.kinds[kind]
        sums = rows.get(name)
        if sums is None:
            if len(rows) >= MOST_NAMED:
                name = OTHER
            sums = rows.setdefault(name, Sums())
        return sums

    def merge(self, other: Book) -> None:
        """Count what another one has counted."""
        self.total.merge(other.total)
        for kind, rows in enumerate(other.kinds):
            for name, sums in rows.items():
                self.of(kind, name).merge(sums)

    def shown(self, period: tuple[int, int], most: int) -> CostPeriod:
        """Return everything, and of each kind at most `most` rows."""
        kinds = {kind: _largest(rows.items(), most) for kind, rows in zip(KINDS, self.kinds, strict=True)}
        return CostPeriod(start=period[0], end=period[1], total=self.total.row(""), **kinds)


def _largest(rows: Iterable[tuple[str, Sums]], most: int) -> list[CostRow]:
    """Return those who took most: money first, then tokens."""
    largest = nlargest(most, rows, key=lambda one: (one[1].money, one[1].input + one[1].output))
    return [sums.row(name) for name, sums in largest]
