"""A whole service in virtual time, every component of which is well until a test harms it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pointsman.assembly import House
from pointsman.core.health_board import Needs
from pointsman.model.events import Event
from pointsman.model.health import Finding, passed
from pointsman.model.message import Envelope, Message
from pointsman.model.settings import BudgetSettings, PoolSettings, RolloutSettings, Settings
from pointsman.serving import Service
from pointsman.sim import SimClock
from tests.till import PLENTY, Metered, Meters, worker


class Ward(House):
    """A house with a planner, two coders, a budget and an old router, and what a service adds to it.

    Attributes:
        metered: the workers' transports by id.
        events: everything that was emitted.
    """

    def __init__(self, where: Path, **sections: Any) -> None:
        self.metered: dict[str, Metered] = {}
        self.events: list[Event] = []
        coders = PoolSettings(workers=[worker("c1"), worker("c2")])
        pools = {"planners": PoolSettings(workers=[worker("p1")]), "coders": coders}
        known = {
            "pools": pools,
            "limits": PLENTY,
            "budgets": {"all": BudgetSettings(tokens=1_000_000)},
            "rollout": RolloutSettings(legacy="http://127.0.0.1:9", record="rollout/record.jsonl"),
        }
        super().__init__(Settings(**{**known, **sections}), clock=SimClock(), beside=where)
        self.service = Service(self)
        self.transports = Meters(self.metered)
        self.observers.add(self.events.append)

    async def __aenter__(self) -> Ward:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop(0.0)

    def wrap(self, text: str = "x" * 40) -> Envelope:
        """Return a message that nobody has looked at yet."""
        return self.envelopes.wrap(Message(text=text, class_="tactical"))

    def ill(self) -> dict[str, str]:
        """Return the status of every component that is not well, as it is known now."""
        return {one.component: one.status.value for one in self.health.latest() if one.status.value != "pass"}

    def said(self, component: str) -> str:
        """Return what is said of a component."""
        return self.health.latest(component)[0].output


class Sleeper:
    """A check that does what a test says."""

    depends_on: tuple[str, ...] = ()
    needs: Needs = "each"

    def __init__(self, component: str = "sleeper") -> None:
        self.component = self.kind = component
        self.began = 0
        self.sleeps = asyncio.Event()
        self.is_deaf = False
        self.raises: Exception | None = None

    def probe(self) -> Finding:
        return passed("asleep")

    async def look(self) -> Finding:
        self.began += 1
        if self.raises is not None:
            raise self.raises
        while True:
            try:
                await self.sleeps.wait()
            except asyncio.CancelledError:
                if not self.is_deaf:
                    raise
            else:
                return passed("slept well")
