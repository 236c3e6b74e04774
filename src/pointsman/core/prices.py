"""What tokens cost: from the price table of the settings to the price of one answer.

Decides which row of the table counts for a model, and what its four kinds of tokens come to. Does not know which model
served a message, converts no currency, and rounds nothing: whoever needs whole units rounds once, at the end.

A row counts for the model of exactly that name. Failing that, of the rows whose name ends in `*`, the one with the
longest beginning that the model's name has too: `gpt-4o*` prices `gpt-4o-2024-08-06`, and `*` alone prices what nothing
else does. A model that no row fits has no price: that is None, never 0, so that it can be shown as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pointsman.model.settings import PriceSettings
from pointsman.model.usage import Usage

_PER: Final = 1e-6
"""Prices are per million tokens."""

_REMEMBERED: Final = 4096
"""Names looked up before; they come from settings, so there are fewer."""


class Price:
    """What one model's tokens cost each, in the currency of the settings."""

    __slots__ = ("_cache_write", "_cached_input", "_dearest_input", "_input", "_output")

    def __init__(self, settings: PriceSettings) -> None:
        """Fill in what the row leaves out: cached and newly cached input cost as much as any input."""
        plain = settings.input
        self._input = plain * _PER
        self._cached_input = (plain if settings.cached_input is None else settings.cached_input) * _PER
        self._cache_write = (plain if settings.cache_write is None else settings.cache_write) * _PER
        self._dearest_input = max(self._input, self._cache_write)
        self._output = settings.output * _PER

    def cost(self, usage: Usage) -> float:
        """Return what an answer cost."""
        cached, written = usage.cached_input_tokens, usage.cache_write_tokens
        return (
            (usage.input_tokens - cached - written) * self._input
            + cached * self._cached_input
            + written * self._cache_write
            + usage.output_tokens * self._output
        )

    def most(self, input_tokens: int, output_tokens: int) -> float:
        """Return what so many tokens cost at most: none comes from a cache, and all may have to be written to one."""
        return input_tokens * self._dearest_input + output_tokens * self._output


class PriceTable:
    """Prices by model name; see the head of this file. Immutable, but for a memory of names.

    Args:
        prices: rows by model name, or by its beginning and `*`.
    """

    def __init__(self, prices: Mapping[str, PriceSettings]) -> None:
        rows = {name: Price(row) for name, row in prices.items()}
        self._exact = {name: row for name, row in rows.items() if not name.endswith("*")}
        beginnings = ((name[:-1], row) for name, row in rows.items() if name.endswith("*"))
        self._beginnings = sorted(beginnings, key=lambda one: -len(one[0]))
        self._found: dict[str, Price | None] = {}

    def __bool__(self) -> bool:
        """Whether there is any price."""
        return bool(self._exact or self._beginnings)

    def find(self, model: str) -> Price | None:
        """Return the price of a model, or None where it has none."""
        try:
            return self._found[model]
        except KeyError:
            price = self._exact.get(model) or self._longest(model)
            if len(self._found) < _REMEMBERED:
                self._found[model] = price
            return price

    def _longest(self, model: str) -> Price | None:
        return next((row for beginning, row in self._beginnings if model.startswith(beginning)), None)

    def cost(self, model: str, usage: Usage) -> float | None:
        """Return what an answer of a model cost, in the currency of the settings, or None where it has no price."""
        price = self.find(model)
        return None if price is None else price.cost(usage)


def dearest(prices: Iterable[Price], input_tokens: int, output_tokens: int) -> float | None:
    """Return what so many tokens cost at most at the dearest of some prices; None where there are none."""
    highest: float | None = None
    for price in prices:
        cost = price.most(input_tokens, output_tokens)
        if highest is None or cost > highest:
            highest = cost
    return highest
