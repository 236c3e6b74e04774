"""Everything about cost in one router, put together: prices, accounts, budgets, provider accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pointsman.core.routing import FallbackRule
from pointsman.model.events import AttemptEnded, AttemptStarted, Ended, WorkerJoined, WorkerLeft
from pointsman.model.message import Envelope
from pointsman.model.settings import Settings
from pointsman.model.usage import Estimate
from pointsman.ports import Clock
from pointsman.runtime.accounts import Accounts
from pointsman.runtime.fares import Fares
from pointsman.runtime.observers import Observers
from pointsman.runtime.pool import Pool
from pointsman.runtime.quotas import Quotas
from pointsman.runtime.spending import Spending


class Costs:
    """The parts that count what messages take.

    Attributes:
        fares: prices of the fleet as it is.
        accounts: what was taken, by whom.
        spending: budgets and their ledger.
        quotas: provider accounts.

    Args:
        settings: prices, budgets, quotas.
        pools: by name; a reload may add to the mapping.
        clock: time.
        beside: directory that the ledger's name starts from.
        observers: whose events are counted.
    """

    def __init__(
        self, settings: Settings, pools: Mapping[str, Pool], clock: Clock, beside: Path, observers: Observers
    ) -> None:
        self.fares = Fares(pools)
        self.accounts = Accounts(clock, self.fares.at_the_dearest)
        self.spending = Spending(settings, clock, beside)
        self.quotas = Quotas(pools, clock)
        observers.add(self.fares.observe, WorkerJoined, WorkerLeft)
        observers.add(self.quotas.observe, WorkerJoined, WorkerLeft)
        observers.add(self.accounts.observe, AttemptEnded)
        observers.add(self.spending.observe, AttemptStarted, AttemptEnded, Ended)

    def use(self, settings: Settings, rules: Mapping[str, FallbackRule]) -> None:
        """Put other prices, budgets and quotas into force; what was counted stays counted."""
        self.fares.use(settings, rules)
        self.spending.use(settings)
        self.quotas.use(settings.quotas)

    @property
    def estimate(self) -> Callable[[Envelope], Estimate] | None:
        """What says what a message is expected to take; None where nobody asks for it."""
        return self.fares.estimate if self.fares.estimates else None
