"""A real service beside an old router, over real sockets, in whatever stage of the rollout a test wants."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from pointsman.assembly import House
from pointsman.core.keys import KeyRing
from pointsman.model.events import Event
from pointsman.model.rollout import Order, State
from pointsman.model.settings import RolloutSettings, ServerSettings, ShadowSettings
from pointsman.serving import Service
from pointsman.transports.callable import Target
from tests.http.service import echo, settings

ORDER = Order(actor="test", reason="because", force=True)


class Both:
    """The service, and what it has told.

    Attributes:
        port: where it listens.
        events: what it told, the oldest first.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.house = service.house
        self.port = int(service.url.rpartition(":")[2])
        self.events: list[Event] = []
        self.house.observers.add(self.events.append)

    def of(self, kind: type[Any]) -> list[Any]:
        """Events of a kind."""
        return [event for event in self.events if type(event) is kind]

    async def until(self, condition: Callable[[], Any]) -> None:
        """Let the loop turn until something has reached us, for what no event tells."""
        while not condition():  # noqa: ASYNC110 - the state of a socket has no event of its own
            await asyncio.sleep(0)

    async def go_to(self, state: State) -> None:
        """Take the steps to a state."""
        rollout = self.house.rollout
        await rollout.start(ORDER)
        while rollout.course.position.state is not state:
            await rollout.promote(ORDER)


@contextlib.asynccontextmanager
async def brought_in(
    where: Path,
    legacy: str,
    workers: Mapping[str, Target] | None = None,
    *,
    shadow_share: float = 1.0,
    keys: KeyRing | None = None,
    rollout: Mapping[str, Any] | None = None,
    slots: int = 64,
    **sections: Any,
) -> AsyncIterator[Both]:
    """Run a service beside the old router at `legacy`; its records lie in the directory given."""
    named = {"c1": echo} if workers is None else dict(workers)
    rules = RolloutSettings(
        legacy=legacy,
        record="rollout.jsonl",
        kill_file="KILL",
        **{"stages": [0.5], "shadow": ShadowSettings(share=shadow_share, core_share_max=1.0), **(rollout or {})},
    )
    known = {"server": ServerSettings(listen="127.0.0.1:0", drain_s=0.5), "rollout": rules}
    made = settings({"coders": named}, **{**known, **sections})
    workers_of = [msgspec.structs.replace(one, max_in_flight=slots) for one in made.pools["coders"].workers]
    made.pools["coders"] = msgspec.structs.replace(made.pools["coders"], workers=workers_of)
    house = House(made, rng=random.Random(7), local=named, beside=where)
    service = Service(house, keys=(lambda: keys) if keys is not None else KeyRing)
    try:
        await service.start()
        yield Both(service)
    finally:
        await service.stop(0.0)
