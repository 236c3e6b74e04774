"""The whole service without a network: real parts, workers that are functions, and an ASGI client.

The surface is put together by hand here, so that each test may give it other parts.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from pointsman.assembly import House
from pointsman.core.keys import NO_KEYS
from pointsman.embedded import replay
from pointsman.http.app import App
from pointsman.http.surface import Surface
from pointsman.model.settings import (
    LimitSettings,
    PoolSettings,
    RetrySettings,
    ServerSettings,
    Settings,
    ValidationSettings,
    WorkerSettings,
)
from pointsman.ports import Transport
from pointsman.reload import reload
from pointsman.sim import SimClock
from pointsman.transports.callable import Target
from tests.http.asgi import Client

SOON_S = 0.01


@dataclass
class Service:
    """A running router and what speaks to it."""

    house: House
    surface: Surface
    app: App
    client: Client

    async def settle(self) -> None:
        """Let everything that can happen now happen."""
        await asyncio.sleep(SOON_S)


def put_in_place(run: Service, transport: Transport, kind: str = "callable", model: str | None = None) -> None:
    """Let the coders' worker be of this kind and model, and speak through `transport`."""
    pool, endpoint = run.house.fleet.find("c1")
    pool.remove(endpoint)
    endpoint.settings = msgspec.structs.replace(endpoint.settings, transport=kind, model=model)
    endpoint.transport = transport
    endpoint.draining = False
    pool.join(endpoint)


async def echo(work: Mapping[str, Any]) -> Any:
    """Answer with the text."""
    return {"text": f"did: {work['text'] if 'text' in work else work['messages'][-1]['content']}"}


async def silent(work: Mapping[str, Any]) -> Any:
    """Never answer."""
    await asyncio.Event().wait()


def settings(workers: Mapping[str, Mapping[str, Target]], **sections: Any) -> Settings:
    """Return settings with these workers, one slot each, and limits that no test meets by accident."""
    pools = {
        name: PoolSettings(
            workers=[WorkerSettings(id=id, transport="callable", max_in_flight=1) for id in workers.get(name, {})],
            retry=RetrySettings(base_s=0.1, jitter_share=0.0),
        )
        for name in ("planners", "coders")
    }
    known = {
        "pools": pools,
        "limits": LimitSettings(rate_per_min=1_000_000, burst=1_000, flood_copies=1_000),
        "server": ServerSettings(),
        "validation": ValidationSettings(),
    }
    return Settings(**{**known, **sections})


@contextlib.asynccontextmanager
async def service(
    workers: Mapping[str, Mapping[str, Target]] | None = None,
    *,
    parts: Mapping[str, Any] | None = None,
    **sections: Any,
) -> AsyncIterator[Service]:
    """Run a service.

    Args:
        workers: functions by pool and worker id; by default one `echo` worker in each pool.
        parts: attributes of the surface to replace.
        **sections: sections of the settings.
    """
    named = {"planners": {"p1": echo}, "coders": {"c1": echo}} if workers is None else workers
    local = {id: target for of in named.values() for id, target in of.items()}
    house = House(settings(named, **sections), clock=SimClock(), rng=random.Random(7), local=local)
    await house.start()
    surface = replace(surface_of(house), **(parts or {}))
    app = App(surface)
    try:
        yield Service(house, surface, app, Client(app))
    finally:
        await house.stop(0.0)


def surface_of(house: House) -> Surface:
    """Return a surface over a house."""

    async def reloaded() -> dict[str, list[str]]:
        limits = msgspec.structs.replace(house.settings.limits, burst=5)
        return await reload(house, msgspec.structs.replace(house.settings, limits=limits))

    async def metrics(accept: str) -> tuple[bytes, str]:
        return f"# asked for {accept}\n".encode(), "text/plain; version=0.0.4"

    return Surface(
        core=house.core,
        fleet=house.fleet,
        engine=house.engine,
        feeds=house.feeds,
        decisions=house.decisions,
        envelopes=house.envelopes,
        clock=house.clock,
        settings=lambda: house.settings,
        preview=lambda envelope: house.previewer.preview(envelope),  # noqa: PLW0108 - a reload replaces it
        replay=lambda message_id: replay(house, message_id),
        resolve_class=house.resolve_class,
        resolve_model=house.resolve_model,
        reload=reloaded,
        metrics=metrics,
        is_ready=lambda: house.doors_open,
        keys=lambda: NO_KEYS,
        costs=house.costs,
        rollout=house.rollout,
        shadow=house.shadow,
        slo=lambda window_s, by: house.slo.report(window_s, by=by, resident_bytes=30_000_000),
        health=house.health,
        learning=house.learning,
        emit=house.emit,
        version="1.2.3",
    )
