"""Refusing what no worker understands: by name, and only where there are workers that might have."""

from __future__ import annotations

import pytest

from pointsman.core.routing import FallbackRule
from pointsman.layers.admission.speak import Speak
from pointsman.model.message import Envelope
from pointsman.model.outcome import Accepted, Receipt, Refusal, Refused
from pointsman.sim import SimClock
from pointsman.testing.make import envelope
from pointsman.testing.probe import Probe
from tests.runtime.fleet_of import Scripted, Yard


class Desk:
    """The layer in front of pool `coders`, which pool `planners` may help."""

    def __init__(self, home: tuple[str, ...] = (), helper: tuple[str, ...] = ()) -> None:
        yards = {"coders": Yard(SimClock()), "planners": Yard(SimClock())}
        for name, transports in (("coders", home), ("planners", helper)):
            for at, transport in enumerate(transports):
                kind, _, model = transport.partition(":")
                yards[name].join(f"{name}-{at}", Scripted(), transport=kind, model=model or None)
            yards[name].pool.name = name
        pools = {name: yard.pool for name, yard in yards.items()}
        rules = {"coders": FallbackRule(("planners",), 5.0, on_busy=False)}
        self.inner = Probe(Accepted("x"))
        self.admit = Speak(pools, rules)(self.inner)

    async def send(self, protocol: str = "openai", endpoint: str = "/chat/completions", **fields: object) -> Receipt:
        """Send a message with a body."""
        model = str(fields.pop("model", ""))
        of: Envelope = envelope(**fields)  # type: ignore[arg-type]
        of.protocol, of.endpoint, of.body, of.model = protocol, endpoint, b"{}", model
        receipt = await self.admit(of)
        assert bool(self.inner.seen) == (receipt == Accepted("x"))
        return receipt


@pytest.mark.parametrize("home", ["openai", "http", "subprocess", "callable"])
async def test_a_message_that_a_worker_understands_passes(home: str) -> None:
    """One that speaks its language, or one of our own kind, among others that do not."""
    assert await Desk(home=("anthropic", home)).send() == Accepted("x")


async def test_a_message_that_nobody_understands_is_refused_by_name() -> None:
    """Class, pool, what its workers speak, and what to do; not retryable, for nothing will change by itself."""
    refused = await Desk(home=("anthropic:opus", "anthropic:opus")).send(strict=True)
    assert refused == Refused(
        Refusal.WRONG_PROTOCOL,
        "class 'tactical' has no worker that speaks openai: pool 'coders' has anthropic (opus);"
        " send it to a class whose workers do, or add one that does",
        message_class="tactical",
    )
    assert not refused.retryable


async def test_embeddings_and_counts_need_a_worker_of_their_own_language() -> None:
    """One of our own kind has neither."""
    desk = Desk(home=("http", "subprocess"))
    for protocol, endpoint in (("openai", "/embeddings"), ("anthropic", "/messages/count_tokens?beta=true")):
        refused = await desk.send(protocol, endpoint)
        assert isinstance(refused, Refused)
        assert refused.reason is Refusal.WRONG_PROTOCOL
        assert "no chats" in refused.detail
    assert await desk.send("anthropic", "/messages") == Accepted("x")


async def test_the_workers_that_may_help_count() -> None:
    """Where the message may go there at all; and they are named where they do not understand it either."""
    desk = Desk(home=("anthropic",), helper=("openai",))
    assert await desk.send() == Accepted("x")
    desk.inner.seen.clear()
    assert isinstance(await desk.send(strict=True), Refused)
    refused = await Desk(home=("anthropic",), helper=("anthropic",)).send()
    assert isinstance(refused, Refused)
    assert "pool 'coders' has anthropic; pool 'planners' has anthropic" in refused.detail
    refused = await Desk(helper=("anthropic",)).send()
    assert isinstance(refused, Refused)
    assert "pool 'coders' has none" in refused.detail


async def test_where_there_are_no_workers_the_next_layer_says_so() -> None:
    """`no_worker` is another reason, and it may pass."""
    assert await Desk().send() == Accepted("x")


async def test_a_model_that_nobody_has_is_a_worker_that_is_missing() -> None:
    """It was there when the message was read, and may come back."""
    refused = await Desk(home=("openai:small",)).send(model="large")
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.retryable, refused.field) == (Refusal.NO_WORKER, True, "model")
    assert "has model 'large'" in refused.detail
    refused = await Desk(home=("anthropic:large",)).send(model="large")
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.WRONG_PROTOCOL


async def test_a_native_message_is_understood_by_everybody() -> None:
    """No body, no constraint."""
    desk = Desk(home=("anthropic",))
    assert await desk.admit(envelope()) == Accepted("x")
