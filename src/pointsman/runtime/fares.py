"""What messages cost with the fleet as it is: prices of the settings, workers of the pools.

Gives the cost of an answer, the estimate of a message before it is sent, and what an answer would have cost had every
message gone to the dearest class. Rules: `core.prices` and `core.estimate`.

A worker's price is that of its `model`; a worker without one is priced by its id, so that an agent may have a price.
"""

from __future__ import annotations

from collections.abc import Mapping

from pointsman.core.estimate import estimate_tokens
from pointsman.core.prices import Price, PriceTable, dearest
from pointsman.core.routing import FallbackRule
from pointsman.model.events import Event, WorkerJoined, WorkerLeft
from pointsman.model.message import Envelope
from pointsman.model.settings import Settings, WorkerSettings
from pointsman.model.usage import Estimate, Usage
from pointsman.runtime.pool import Pool


def price_name(worker: WorkerSettings) -> str:
    """Return the name that a worker's price is found by."""
    return worker.model or worker.id


class Fares:
    """Prices of one router. An observer of events: workers that come and go change what is dearest.

    Args:
        pools: by name; a reload may add to the mapping.
    """

    def __init__(self, pools: Mapping[str, Pool]) -> None:
        self.currency = ""
        self.estimates = False
        self._pools = pools
        self._table = PriceTable({})
        self._rules: Mapping[str, FallbackRule] = {}
        self._output_tokens = 0
        self._dearest_pool = ""
        self._by_pool: dict[str, tuple[Price, ...]] = {}
        self._most: tuple[Price, ...] | None = None

    def use(self, settings: Settings, rules: Mapping[str, FallbackRule]) -> None:
        """Put other prices into force; what has been counted stays as it was counted."""
        self.currency = settings.costs.currency
        self.estimates = bool(settings.prices or settings.budgets or settings.quotas)
        self._table = PriceTable(settings.prices)
        self._rules = rules
        self._output_tokens = settings.costs.output_tokens
        self._dearest_pool = max(settings.classes.values(), key=lambda one: one.cost).pool
        self._forget()

    def observe(self, event: Event) -> None:
        """Look at the fleet anew after a worker has come or gone."""
        if type(event) is WorkerJoined or type(event) is WorkerLeft:
            self._forget()

    def _forget(self) -> None:
        self._by_pool = {}
        self._most = None

    def cost(self, name: str, usage: Usage) -> float | None:
        """Return what an answer cost, by the `price_name` of its worker; None where that has no price."""
        return self._table.cost(name, usage)

    def at_the_dearest(self, usage: Usage) -> float | None:
        """Return what the same tokens would have cost in the pool of the dearest class; None where nobody knows."""
        if self._most is None:
            self._most = self._prices((self._dearest_pool,))
        highest: float | None = None
        for price in self._most:
            cost = price.cost(usage)
            if highest is None or cost > highest:
                highest = cost
        return highest

    def estimate(self, envelope: Envelope) -> Estimate:
        """Return what a message is expected to take, at the dearest price of the workers that it may come to."""
        input_tokens, output_tokens = estimate_tokens(envelope, self._output_tokens)
        if envelope.model:
            price = self._table.find(envelope.model)
            money = None if price is None else price.most(input_tokens, output_tokens)
        else:
            prices = self._by_pool.get(envelope.pool)
            if prices is None:
                prices = self._by_pool[envelope.pool] = self._prices(self._pools_for(envelope.pool))
            money = dearest(prices, input_tokens, output_tokens)
        return Estimate(input_tokens, output_tokens, money)

    def _pools_for(self, name: str) -> tuple[str, ...]:
        rule = self._rules.get(name)
        return (name,) if rule is None else (name, *rule.helpers)

    def _prices(self, pools: tuple[str, ...]) -> tuple[Price, ...]:
        here = [self._pools[name] for name in pools if name in self._pools]
        found = (self._table.find(price_name(endpoint.settings)) for pool in here for endpoint in pool)
        return tuple(dict.fromkeys(price for price in found if price is not None))
