"""Stacks: the first layer sees a message first, and every layer says why it stands where it stands."""

from __future__ import annotations

import re

import pytest

from pointsman import stack
from pointsman.assembly import House
from pointsman.core.breaker import CircuitBreaker
from pointsman.core.load import FleetMean, WorkerLoad
from pointsman.layers.admission.enqueue import Enqueue
from pointsman.layers.delivery.pick import Pick
from pointsman.layers.endpoint.send import Send
from pointsman.model.settings import BreakerSettings, Settings, WorkerSettings
from pointsman.ports import Transport
from pointsman.runtime.endpoint import Endpoint
from pointsman.sim import SimClock


def _mark(name: str):
    def layer(inner):
        async def wrapped(request: list[str]) -> list[str]:
            return await inner([*request, name])

        return wrapped

    return layer


async def _leaf(request: list[str]) -> list[str]:
    return [*request, "leaf"]


async def test_the_first_layer_sees_a_message_first() -> None:
    """The order of the tuple is the order in which a message meets the layers."""
    service = stack.build((_mark("first"), _mark("second")), _leaf)
    assert await service([]) == ["first", "second", "leaf"]


def test_no_layers_leave_the_leaf_itself() -> None:
    """An empty stack adds nothing, not even a wrapper."""
    assert stack.build((), _leaf) is _leaf


def test_a_layer_without_a_position_is_found_out() -> None:
    """A docstring that gives no position is an error that names the layer."""
    with pytest.raises(ValueError, match="Bare"):
        stack.position(type("Bare", (), {"__doc__": "Does things."})())


async def stacks() -> dict[str, list[object]]:
    """Return all three stacks of a router of default settings, each with its leaf."""
    clock = SimClock()
    house = House(Settings(), clock=clock)
    pool = house.pools["coders"]
    settings = WorkerSettings(id="w")
    transport: Transport = None  # type: ignore[assignment]
    load = WorkerLoad("w", 1, FleetMean())
    endpoint = Endpoint(settings, load, CircuitBreaker(BreakerSettings(), house.rng), transport)
    return {
        "admission": [*house.admission_layers(), house.admission_leaf()],
        "delivery": [*house.delivery_layers(), Pick(house.pools, house.preferred, clock)],
        "endpoint": [*house.endpoint_layers(endpoint, pool), Send(endpoint)],
    }


async def test_the_order_is_the_documented_one() -> None:
    """The three stacks in reading order; a change here is a change of the way of a message."""
    names = {name: [type(layer).__name__ for layer in layers] for name, layers in (await stacks()).items()}
    assert names == {
        "admission": [
            *(
                "Measure",
                "Doors",
                "Rescue",
                "Validate",
                "RateLimit",
                "FloodGuard",
                "Classify",
                "Speak",
                "Budget",
                "Shed",
            ),
            Enqueue.__name__,
        ],
        "delivery": ["MeasureDelivery", "RescueDelivery", "HoldLease", "Expire", Pick.__name__],
        "endpoint": ["Track", "Breaker", "Limit", "DrawQuota", "Timeout", Send.__name__],
    }


async def test_positions_agree_with_the_order() -> None:
    """Each "after X" names a layer that does come before, each "before Y" one that does come after."""
    for layers in (await stacks()).values():
        names = [type(layer).__name__ for layer in layers]
        for place, layer in enumerate(layers):
            reason = stack.position(layer)
            for word, others in (("after", names[:place]), ("before", names[place + 1 :])):
                for mentioned in re.findall(rf"\b{word} ([A-Z]\w+)", reason):
                    assert mentioned in others, f"{names[place]}: {word} {mentioned}"
