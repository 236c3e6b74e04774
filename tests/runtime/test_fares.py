"""Fares: the cost of an answer, the estimate of a message, and what the dearest class would have taken."""

from __future__ import annotations

import pytest

from pointsman.core.routing import FallbackRule
from pointsman.model.events import AttemptStarted
from pointsman.model.settings import PriceSettings, Settings, WorkerSettings
from pointsman.model.usage import Estimate, Usage
from pointsman.runtime.fares import Fares, price_name
from pointsman.sim import SimClock
from pointsman.testing.make import envelope
from tests.runtime.fleet_of import Scripted, Yard

PRICES = {
    "big": PriceSettings(input=10.0, cache_write=12.0, output=50.0),
    "small": PriceSettings(input=1.0, output=5.0),
    "agent": PriceSettings(input=2.0),
}
MILLION = Usage(1_000_000, 0, 0, 1_000_000)


class Fleet:
    """Two pools, `planners` and `coders`; the coders may help the planners."""

    def __init__(self, prices: dict[str, PriceSettings] | None = None) -> None:
        self.yards = {name: Yard(SimClock()) for name in ("planners", "coders")}
        self.fares = Fares({name: yard.pool for name, yard in self.yards.items()})
        self.rules = {"planners": FallbackRule(("coders",), 5.0, on_busy=False)}
        self.use(PRICES if prices is None else prices)

    def use(self, prices: dict[str, PriceSettings]) -> None:
        """Put prices into force."""
        self.fares.use(Settings(prices=prices), self.rules)

    def join(self, pool: str, worker: str, model: str | None) -> None:
        """Let a worker join and everybody know."""
        yard = self.yards[pool]
        endpoint = yard.endpoint(worker, Scripted())
        endpoint.settings = WorkerSettings(id=worker, transport="callable", model=model)
        yard.pool.join(endpoint)
        self.fares.observe(yard.events[-1])

    def money(self, pool: str = "coders", model: str = "") -> float | None:
        """Return the estimated money of a message of 1 input token and 1024 output tokens."""
        of = envelope("", pool=pool)
        of.model = model
        found = self.fares.estimate(of)
        assert (found.input_tokens, found.output_tokens) == (1, 1024)
        return found.money


async def test_a_worker_is_priced_by_its_model_or_its_id() -> None:
    """An agent without a model may have a price of its own."""
    assert price_name(WorkerSettings(id="agent", model="big")) == "big"
    assert price_name(WorkerSettings(id="agent")) == "agent"
    fares = Fleet().fares
    assert fares.cost("agent", Usage(1_000_000)) == pytest.approx(2.0)
    assert fares.cost("nobody", Usage(1_000_000)) is None


async def test_an_estimate_takes_the_dearest_worker_that_may_be_given_the_message() -> None:
    """Of its pool, and of the pools that may help it; input at the price of writing it to a cache."""
    fleet = Fleet()
    fleet.join("coders", "c1", "small")
    assert fleet.money("coders") == pytest.approx(1e-6 + 1024 * 5e-6)
    assert fleet.money("planners") == fleet.money("coders")
    fleet.join("planners", "p1", "big")
    assert fleet.money("planners") == pytest.approx(12e-6 + 1024 * 50e-6)
    assert fleet.money("coders") == pytest.approx(1e-6 + 1024 * 5e-6)


async def test_where_nothing_has_a_price_there_is_no_money_in_an_estimate() -> None:
    """None, not 0; the tokens are there all the same."""
    fleet = Fleet()
    assert fleet.money() is None
    fleet.join("coders", "c1", "unknown")
    assert fleet.money() is None
    assert fleet.fares.estimate(envelope("x" * 40)) == Estimate(10, 1024, None)


async def test_a_message_for_one_model_is_priced_by_that_model() -> None:
    """However dear the other workers of the pool are."""
    fleet = Fleet()
    fleet.join("coders", "c1", "small")
    fleet.join("coders", "c2", "big")
    assert fleet.money(model="small") == pytest.approx(1e-6 + 1024 * 5e-6)
    assert fleet.money(model="unknown") is None


async def test_a_worker_that_left_is_dear_no_more() -> None:
    """The estimate follows the fleet."""
    fleet = Fleet()
    fleet.join("coders", "c1", "small")
    fleet.join("coders", "c2", "big")
    before = fleet.money()
    yard = fleet.yards["coders"]
    yard.pool.remove(yard.pool.endpoint("c2"))
    fleet.fares.observe(AttemptStarted(0.0, envelope(), "coders"))
    assert fleet.money() == before
    fleet.fares.observe(yard.events[-1])
    assert fleet.money() == pytest.approx(1e-6 + 1024 * 5e-6)


async def test_the_dearest_class_is_that_of_the_highest_cost() -> None:
    """Of its pool the dearest model: what every message would have cost there."""
    fleet = Fleet()
    assert fleet.fares.at_the_dearest(MILLION) is None
    fleet.join("coders", "c1", "small")
    assert fleet.fares.at_the_dearest(MILLION) is None
    fleet.join("planners", "p1", "small")
    assert fleet.fares.at_the_dearest(MILLION) == pytest.approx(6.0)
    fleet.join("planners", "p2", "big")
    assert fleet.fares.at_the_dearest(MILLION) == pytest.approx(60.0)


async def test_other_prices_count_from_then_on() -> None:
    """And estimates are made only where something asks for them."""
    fleet = Fleet()
    fleet.join("coders", "c1", "small")
    fleet.use({"small": PriceSettings(input=2.0, output=10.0)})
    assert fleet.money() == pytest.approx(2e-6 + 1024 * 10e-6)
    assert fleet.fares.estimates
    fleet.use({})
    assert fleet.money() is None
    assert not fleet.fares.estimates
