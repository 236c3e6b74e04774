"""A running house whose workers say what their answers took, as workers of a provider do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pointsman.assembly import House
from pointsman.model.message import Envelope, Message
from pointsman.model.outcome import Delivered, Failed, Failure, Outcome, Refused
from pointsman.model.result import Result
from pointsman.model.settings import LimitSettings, PoolSettings, Settings, WorkerSettings
from pointsman.model.usage import Usage
from pointsman.ports import Attempt, Transport
from pointsman.sim import SimClock
from pointsman.transports.building import Builder

PLENTY = LimitSettings(rate_per_min=1_000_000, burst=10_000, flood_copies=10_000)


class Metered:
    """A transport of a worker that answers after a while, and says what that took.

    Attributes:
        takes: what an answer takes.
        works_s: for how long it works.
        headers: of its replies.
        refuses: how often it answers 429 first.
        seen: attempts it was given.
    """

    def __init__(self) -> None:
        self.takes: Usage | None = Usage(10, 0, 0, 10)
        self.works_s = 1.0
        self.headers: Sequence[tuple[str, str]] = ()
        self.refuses = 0
        self.retry_after_s: float | None = None
        self.seen: list[Attempt] = []

    async def open(self) -> None: ...

    async def send(self, attempt: Attempt) -> Outcome:
        self.seen.append(attempt)
        attempt.heard(self.headers)
        if self.refuses > 0:
            self.refuses -= 1
            wish_s = self.retry_after_s
            return Failed(Failure.WORKER_BUSY, "slow down", attempt.worker, retry_after_s=wish_s, status=429)
        try:
            await asyncio.sleep(self.works_s)
        except asyncio.CancelledError:
            if self.takes is not None:
                attempt.usage = Usage(self.takes.input_tokens, 0, 0, 1, estimated=True)
            raise
        attempt.usage = self.takes
        attempt.reply.put({"text": "done"})
        return Delivered(attempt.worker)

    async def probe(self) -> bool:
        return True

    async def close(self) -> None: ...


class Meters(Builder):
    """Builds such workers."""

    def __init__(self, metered: dict[str, Metered]) -> None:
        self._metered = metered

    def build(self, pool: str, settings: WorkerSettings) -> Transport:
        return self._metered.setdefault(settings.id, Metered())


class Till(House):
    """A house of such workers; the ledger lies in the directory given."""

    def __init__(self, where: Path, *workers: WorkerSettings, **sections: Any) -> None:
        self.metered: dict[str, Metered] = {}
        pools = {"planners": PoolSettings(), "coders": PoolSettings(workers=list(workers))}
        settings = Settings(**{"pools": pools, "limits": PLENTY, **sections})
        super().__init__(settings, clock=SimClock(), beside=where)
        self.transports = Meters(self.metered)

    async def __aenter__(self) -> Till:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop(0.0)

    def wrap(self, text: str = "x" * 40, *, client: str = "local", **fields: Any) -> Envelope:
        """Return a message that is expected to take 10 tokens of input."""
        return self.envelopes.wrap(Message(text=text, **{"class_": "tactical", **fields}), client=client)

    async def say(self, **fields: Any) -> Result | Refused:
        """Send a message and wait for its end."""
        return await self.core.send(self.wrap(**fields), None)

    def spent(self) -> dict[str, tuple[int, int]]:
        """Return tokens spent and reserved by name of the budget; all its owners together."""
        now = self.clock.wall()
        return {
            budget.name: (
                sum(account.spent_tokens for account in budget.accounts(now)),
                sum(account.reserved_tokens for account in budget.accounts(now)),
            )
            for budget in self.costs.spending.budgets
        }


def worker(name: str, slots: int = 4, **fields: Any) -> WorkerSettings:
    """Return the settings of such a worker."""
    return WorkerSettings(id=name, transport="callable", max_in_flight=slots, **fields)
