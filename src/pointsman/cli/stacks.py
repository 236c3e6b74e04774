"""The layers that a message passes in a router of default settings, each with the reason for its place."""

from __future__ import annotations

from collections.abc import Iterable

from pointsman.assembly import House
from pointsman.layers.delivery.pick import Pick
from pointsman.layers.endpoint.send import Send
from pointsman.model.settings import Settings, WorkerSettings
from pointsman.stack import position


def stacks() -> dict[str, list[dict[str, str]]]:
    """Return the layers of each stack by its name, the outermost first and the leaf last."""
    house = House(Settings())
    pool = next(iter(house.pools.values()))
    worker = house.make_endpoint(pool, WorkerSettings(id="any", transport="subprocess", command=["any"]), "code")
    return {
        "admission": _named([*house.admission_layers(), house.admission_leaf()]),
        "delivery": _named([*house.delivery_layers(), Pick(house.pools, house.preferred, house.clock)]),
        "worker": _named([*house.endpoint_layers(worker, pool), Send(worker)]),
    }


def _named(layers: Iterable[object]) -> list[dict[str, str]]:
    return [{"layer": type(layer).__name__, "position": position(layer)} for layer in layers]
