"""A running house whose workers are functions, to be changed while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pointsman.assembly import House
from pointsman.config.secrets import Secrets
from pointsman.model.message import Message
from pointsman.model.outcome import Refused
from pointsman.model.result import Result
from pointsman.model.settings import PoolSettings, Settings, WorkerSettings
from pointsman.sim import SimClock


async def echo(work: Mapping[str, Any]) -> str:
    """Answer at once, or break."""
    if work["text"] == "break":
        raise ConnectionError("as told")
    return f"did {work['text']}"


async def slow(work: Mapping[str, Any]) -> str:
    """Answer after ten seconds."""
    await asyncio.sleep(10.0)
    return f"slowly did {work['text']}"


def local(name: str, **fields: Any) -> WorkerSettings:
    """Return a worker that is a function."""
    return WorkerSettings(id=name, transport="callable", **fields)


def with_coders(*workers: WorkerSettings, **sections: Any) -> Settings:
    """Return settings with these workers in pool `coders`."""
    pools = {"planners": PoolSettings(), "coders": PoolSettings(workers=list(workers))}
    return Settings(**{"pools": pools, **sections})


class Plant:
    """A running house with three functions to choose workers from."""

    def __init__(self, settings: Settings) -> None:
        functions = {"w": echo, "v": echo, "slow": slow}
        self.house = House(
            settings, clock=SimClock(), local=functions, secrets=Secrets({"TOKEN": "secret"}, Path("nowhere"))
        )

    async def __aenter__(self) -> Plant:
        await self.house.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.house.stop(0.0)

    async def send(self, text: str = "x", **fields: Any) -> Result | Refused:
        """Send a message and wait for its end."""
        return await self.house.core.send(
            self.house.envelopes.wrap(Message(text=text, **{"class_": "tactical", **fields})), None
        )

    async def served_by(self, **fields: Any) -> str:
        """Send a message; return the id of the worker that served it."""
        result = await self.send(**fields)
        assert isinstance(result, Result), result
        assert result.delivered, result
        return result.worker

    def workers(self) -> dict[str, str]:
        """Return the pool of each worker."""
        return {view.id: view.pool for view in self.house.fleet.workers()}

    def picture(self) -> object:
        """Return everything that a reload may change."""
        house = self.house
        return (
            house.settings,
            id(house.core.admit),
            id(house.classifier),
            house.rules,
            {name: [id(endpoint) for endpoint in pool] for name, pool in house.pools.items()},
            {name: id(dispatcher) for name, dispatcher in house.dispatchers.items()},
            house.limits.per_client._rate,
            house.limits.overall,
            len(house.tasks),
        )
