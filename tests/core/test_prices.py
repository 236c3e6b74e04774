"""Prices: which row counts for a model, and what its kinds of tokens come to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.prices import Price, PriceTable, dearest
from pointsman.model.settings import PriceSettings
from pointsman.model.usage import Usage

SONNET = PriceSettings(input=3.0, cached_input=0.3, cache_write=3.75, output=15.0)


def test_each_kind_of_token_has_its_own_price() -> None:
    """Of 1,000,000 input tokens 600,000 were cached and 100,000 written: the rest alone costs the plain price."""
    usage = Usage(1_000_000, 600_000, 100_000, 10_000)
    assert PriceTable({"m": SONNET}).cost("m", usage) == pytest.approx(300_000 * 3e-6 + 0.18 + 0.375 + 0.15)


def test_cached_and_written_input_cost_as_input_where_nothing_else_is_said() -> None:
    """A row with input and output alone prices every input token alike."""
    price = Price(PriceSettings(input=2.0, output=8.0))
    assert price.cost(Usage(1000, 400, 100, 10)) == pytest.approx(price.cost(Usage(1000, 0, 0, 10)))


def test_a_free_cache_is_not_a_cache_without_a_price() -> None:
    """0 is a price: cached tokens then cost nothing."""
    assert Price(PriceSettings(input=2.0, cached_input=0.0)).cost(Usage(1000, 1000)) == 0.0


def test_a_model_without_a_row_has_no_price() -> None:
    """None, which is not 0."""
    table = PriceTable({"m": SONNET})
    assert table.cost("n", Usage(1, 0, 0, 1)) is None
    assert table.find("") is None
    assert table
    assert not PriceTable({})


def test_the_exact_name_comes_before_any_beginning() -> None:
    """`gpt-4o` is not priced by `gpt-4o*` where it has a row of its own, and a row is no beginning by itself."""
    table = PriceTable({"gpt-4o*": PriceSettings(input=1.0), "gpt-4o": PriceSettings(input=2.0)})
    assert table.cost("gpt-4o", Usage(1_000_000)) == pytest.approx(2.0)
    assert table.cost("gpt-4o-mini", Usage(1_000_000)) == pytest.approx(1.0)
    assert PriceTable({"gpt": SONNET}).find("gpt-4o") is None


def test_of_several_beginnings_the_longest_counts() -> None:
    """Whatever their order; `*` alone takes what is left."""
    rows = {"*": 1.0, "gpt-4o-mini*": 3.0, "gpt-4o*": 2.0}
    table = PriceTable({name: PriceSettings(input=price) for name, price in rows.items()})
    found = {model: table.cost(model, Usage(1_000_000)) for model in ("gpt-4o-mini-x", "gpt-4o-x", "claude")}
    assert found == pytest.approx({"gpt-4o-mini-x": 3.0, "gpt-4o-x": 2.0, "claude": 1.0})


def test_the_memory_of_names_is_bounded_and_answers_alike() -> None:
    """However many names are asked for, no more are remembered, and the last is priced like the first."""
    table = PriceTable({"m*": SONNET})
    for number in range(5000):
        assert table.find(f"m{number}") is table.find("m0")
    assert len(table._found) == 4096


def test_the_dearest_price_depends_on_what_is_bought() -> None:
    """One model may have the dearer input and another the dearer output; no model has no dearest."""
    prices = [Price(PriceSettings(input=10.0, output=1.0)), Price(PriceSettings(input=1.0, output=10.0))]
    assert dearest(prices, 1_000_000, 0) == pytest.approx(10.0)
    assert dearest(prices, 0, 1_000_000) == pytest.approx(10.0)
    assert dearest([], 1, 1) is None


@given(
    row=st.builds(PriceSettings, *[], input=st.floats(0, 100), output=st.floats(0, 100), cache_write=st.floats(0, 200)),
    total=st.integers(0, 1_000_000),
    cached=st.floats(0, 1),
    written=st.floats(0, 1),
    output=st.integers(0, 100_000),
)
def test_no_answer_costs_more_than_the_most(
    row: PriceSettings, total: int, cached: float, written: float, output: int
) -> None:
    """`most` bounds the cost of every split of the same tokens, as long as reading a cache is not dearer than input."""
    from_cache = int(total * cached)
    usage = Usage(total, from_cache, int((total - from_cache) * written), output)
    price = Price(row)
    assert price.cost(usage) <= price.most(total, output) * (1 + 1e-9) + 1e-12
