"""What decides in the shadow decides as the live router does, and changes nothing of it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pointsman.assembly import House
from pointsman.core.classify.pins import ConversationPins
from pointsman.layers.shadow_stack import DECIDING, ShadowStack
from pointsman.model.events import Event
from pointsman.model.message import Message
from pointsman.model.outcome import Accepted, Refusal, Refused
from pointsman.model.settings import LimitSettings, PoolSettings, Settings, WorkerSettings
from pointsman.sim import SimClock

MESSAGES = [
    Message(text="fix the typo in line 12"),
    Message(text="design the architecture of the billing system and plan its migration"),
    Message(text="anything", class_="strategic"),
    Message(text="anything", class_="no such class"),
    Message(),
    Message(messages=[{"role": "user", "content": "rename the variable"}]),
    Message(text="x", delay_s=1e9),
]


async def echo(work: Mapping[str, Any]) -> str:
    """Answer."""
    return ""


def house(**sections: Any) -> House:
    """Return a house with a worker in each pool."""
    pools = {
        name: PoolSettings(workers=[WorkerSettings(id=f"{name}-1", transport="callable")])
        for name in ("planners", "coders")
    }
    local = {f"{name}-1": echo for name in pools}
    settings = Settings(**{"pools": pools, **sections})
    return House(settings, clock=SimClock(), rng=random.Random(5), local=local)


def own(of: House) -> ShadowStack:
    """Return the stack that looks on in a house."""
    return ShadowStack(of.admission_layers(), of.shadow_pins, of.pools, of.resolve_class)


async def test_it_decides_as_the_live_router_does() -> None:
    """Class, pool and refusal of each message are those of a live one."""
    of = house(limits=LimitSettings(flood_copies=1000, burst=1000))
    await of.start()
    for message in MESSAGES:
        live, looking_on = of.envelopes.wrap(message), of.envelopes.wrap(message)
        receipt = await of.core.admit(live)
        shadow = await own(of).decide(looking_on)
        assert type(shadow) is type(receipt) or (isinstance(receipt, Refused) and receipt.reason is Refusal.NOT_STORED)
        if isinstance(shadow, Refused):
            assert shadow == receipt
        assert (looking_on.pool, looking_on.level) == (live.pool, live.level)
        assert looking_on.classification == live.classification
    await of.stop(0.0)


async def test_it_changes_nothing_of_the_live_router() -> None:
    """No limit is used up, no conversation pinned, nothing queued, no event emitted and no chance drawn."""
    of = house(limits=LimitSettings(rate_per_min=1, burst=1, flood_copies=1))
    await of.start()
    events: list[Event] = []
    wrapped = [of.envelopes.wrap(Message(text="fix the typo", conversation_id="talk")) for _ in range(50)]
    of.observers.add(events.append)
    before, counts = of.rng.getstate(), await of.engine.counts()
    stack = own(of)
    for envelope in wrapped:
        assert await stack.decide(envelope) == Accepted(envelope.id)
        assert stack.might_choose(envelope, "coders-1")
    assert of.rng.getstate() == before
    assert await of.engine.counts() == counts
    assert events == []
    assert (len(of.pins), len(of.shadow_pins)) == (0, 1)
    assert (of.limits.per_client.tracked, of.limits.flood.tracked) == (0, 0)
    await of.stop(0.0)


async def test_it_has_its_own_conversations() -> None:
    """A conversation keeps its class in the shadow as it would live."""
    of = house()
    await of.start()
    pins = ConversationPins(60.0, 10)
    stack = ShadowStack(of.admission_layers(), pins, of.pools, of.resolve_class)
    first = of.envelopes.wrap(Message(text="anything", class_="strategic", conversation_id="talk"))
    second = of.envelopes.wrap(Message(text="fix the typo in line 12", conversation_id="talk"))
    await stack.decide(first)
    await stack.decide(second)
    assert second.classification is not None
    assert (second.classification.message_class, second.classification.cause) == ("strategic", "pin")
    await of.stop(0.0)


async def test_a_worker_might_be_chosen_that_is_there_and_well() -> None:
    """Of the message's own pool, up, and able to serve it."""
    of = house()
    await of.start()
    envelope = of.envelopes.wrap(Message(text="fix the typo in line 12"))
    stack = own(of)
    await stack.decide(envelope)
    assert stack.might_choose(envelope, "coders-1")
    assert not stack.might_choose(envelope, "planners-1")
    assert not stack.might_choose(envelope, "coders-9")
    envelope.model = "some-model"
    assert not stack.might_choose(envelope, "coders-1")
    envelope.model = ""
    next(iter(of.pools["coders"])).up = False
    assert not stack.might_choose(envelope, "coders-1")
    await of.stop(0.0)


def test_layers_that_do_more_than_decide_are_left_out() -> None:
    """By name: a new layer of admission is looked on with only if somebody says that it only decides."""
    kept = [type(layer).__name__ for layer in house_layers() if isinstance(layer, DECIDING)]
    left_out = [type(layer).__name__ for layer in house_layers() if not isinstance(layer, DECIDING)]
    assert kept == ["Validate", "Classify", "Speak", "Shed"]
    assert left_out == ["Measure", "Doors", "Rescue", "RateLimit", "FloodGuard", "Budget"]


@pytest.mark.parametrize("name", ["tactical", "fast", "coders"])
async def test_names_of_classes_are_resolved_as_live(name: str) -> None:
    """Class, alias and pool."""
    assert own(house()).resolve_class(name) == "tactical"
    assert own(house()).resolve_class("nonsense") is None


def house_layers() -> Iterator[Any]:
    """Yield the layers of admission."""
    yield from House(Settings()).admission_layers()
