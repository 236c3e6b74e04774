"""The classify layer: class, route and what follows from both, for the message and for its conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.pipeline import Classifier
from pointsman.core.conversation import derive_id
from pointsman.core.routing import Route
from pointsman.layers.admission.classify import Classify
from pointsman.model.decision import Classification
from pointsman.model.message import Envelope
from pointsman.model.outcome import Accepted, Receipt
from pointsman.model.settings import Settings
from pointsman.testing import FakeClock
from pointsman.testing.make import envelope
from pointsman.testing.probe import Probe

ROUTES = {
    "strategic": Route(pool="planners", redeliver="always", max_attempts=3),
    "tactical": Route(pool="coders", redeliver="unsent", max_attempts=7),
}


class Desk:
    """The layer around a probe."""

    def __init__(self, routes: Mapping[str, Route] = ROUTES) -> None:
        settings = Settings()
        self.inner = Probe(Accepted("x"))
        self.pins = ConversationPins(3600.0, 100)
        classifier = Classifier(settings.classifier, settings.classes)
        self.up = {"planners", "coders"}
        layer = Classify(classifier, self.pins, routes, FakeClock(), self.up.__contains__)
        self.admit = layer(self.inner)
        self.beside = layer.around(ConversationPins(3600.0, 100))(self.inner)

    async def classify(self, text: str, *, endpoint: str = "", **fields: object) -> Envelope:
        """Send a message that nothing was decided about yet."""
        of = envelope(text, **fields)  # type: ignore[arg-type]
        of.classification, of.pool, of.endpoint = None, "", endpoint
        assert await self.admit(of) == Accepted("x")
        assert self.inner.seen[-1] is of
        return of


async def test_the_class_decides_pool_redelivery_and_attempts() -> None:
    """What is not said in the message comes from the route of its class."""
    of = await Desk().classify("rename foo to bar in utils.py")
    assert of.classification is not None
    assert (of.classification.message_class, of.classification.cause) == ("tactical", "rule")
    assert (of.pool, of.redeliver, of.max_attempts) == ("coders", "unsent", 7)


async def test_the_sender_is_believed() -> None:
    """A hint decides, by class name or alias, and `redeliver` of the message beats that of its pool."""
    of = await Desk().classify("rename foo to bar", class_="strong", redeliver="never")
    assert of.classification is not None
    assert (of.classification.message_class, of.classification.cause) == ("strategic", "hint")
    assert (of.pool, of.redeliver, of.max_attempts) == ("planners", "never", 3)


async def test_a_message_that_says_nothing_has_a_route() -> None:
    """It abstains, and goes to the fallback class."""
    of = await Desk().classify("")
    assert of.classification is not None
    assert (of.classification.cause, of.pool) == ("abstain", "planners")


async def test_a_conversation_stays_with_its_class() -> None:
    """The layer remembers it, by client."""
    desk = Desk()
    await desk.classify("x", class_="strategic", conversation_id="talk", client="a")
    same = await desk.classify("rename foo to bar in utils.py", conversation_id="talk", client="a")
    other = await desk.classify("rename foo to bar in utils.py", conversation_id="talk", client="b")
    assert same.classification is not None
    assert (same.classification.cause, same.pool, other.pool) == ("pin", "planners", "coders")


async def test_a_conversation_is_not_held_where_nobody_is() -> None:
    """Its pool has no admissible worker, and that of the words has: the pin is dropped, around other pins too."""
    desk = Desk()
    await desk.classify("x", class_="strategic", conversation_id="talk")
    desk.up.discard("planners")
    fallen = await desk.classify("rename foo to bar in utils.py", conversation_id="talk")
    assert fallen.classification is not None
    assert (fallen.classification.cause, fallen.pool) == ("rule", "coders")
    desk.admit = desk.beside
    await desk.classify("x", class_="strategic", conversation_id="talk")
    assert (await desk.classify("rename foo to bar in utils.py", conversation_id="talk")).pool == "coders"


async def test_the_time_it_took_is_noted() -> None:
    """The classifier's own time, without what comes after it."""
    clock = FakeClock()

    class Slow(Classifier):
        def classify(self, **fields: Any) -> Classification:
            clock.advance(0.002)
            return super().classify(**fields)

    async def inner(of: Envelope) -> Receipt:
        clock.advance(5.0)
        return Accepted("x")

    settings = Settings()
    layer = Classify(Slow(settings.classifier, settings.classes), ConversationPins(1.0, 1), ROUTES, clock)
    of = envelope("x", at=clock.monotonic())
    await layer(inner)(of)
    assert of.classify_s == pytest.approx(0.002)


PLAN, RENAME = "design the architecture and plan the migration", "rename foo to bar in utils.py"


@pytest.mark.parametrize("endpoint", ["/embeddings", "/messages/count_tokens", "/messages/count_tokens?beta=true"])
async def test_what_is_no_chat_neither_follows_a_conversation_nor_decides_it(endpoint: str) -> None:
    """A count of tokens beside a dear conversation is no dear message, and makes no cheap one dear."""
    desk = Desk()
    await desk.classify(PLAN, conversation_id="talk", endpoint=endpoint, class_="strategic")
    assert len(desk.pins) == 0
    await desk.classify(PLAN, conversation_id="talk", endpoint="/messages?beta=true")
    assert len(desk.pins) == 1
    counted = await desk.classify(RENAME, conversation_id="talk", endpoint=endpoint)
    assert counted.classification is not None
    assert (counted.classification.cause, counted.pool) == ("rule", "coders")


async def test_a_derived_conversation_is_one_like_any_other() -> None:
    """It keeps its class while its history grows, and may rise within it."""
    desk = Desk()
    turns: list[dict[str, Any]] = [{"role": "user", "content": RENAME}]
    causes = []
    for ask in (RENAME, "thanks", PLAN, RENAME, "go on"):
        turns += [{"role": "assistant", "content": "ok"}, {"role": "user", "content": ask}]
        of = await desk.classify(ask, conversation_id=derive_id("a", turns), client="a")
        assert of.classification is not None
        causes.append((of.classification.message_class, of.classification.cause))
    assert causes == [
        ("tactical", "rule"),
        ("tactical", "pin"),
        ("strategic", "rule"),
        ("strategic", "pin"),
        ("strategic", "pin"),
    ]


async def test_a_class_that_was_forced_may_only_rise_too() -> None:
    """By name or alias; a cheaper class that is forced holds for its message, and not for the next."""
    desk = Desk()
    seen = []
    for ask, hint in ((RENAME, "strong"), (RENAME, None), (RENAME, "fast"), (RENAME, None)):
        of = await desk.classify(ask, conversation_id="talk", class_=hint)
        assert of.classification is not None
        seen.append((of.classification.message_class, of.classification.cause))
    assert seen == [("strategic", "hint"), ("strategic", "pin"), ("tactical", "hint"), ("strategic", "pin")]


async def test_messages_of_a_serial_class_share_a_key_by_conversation() -> None:
    """Client and conversation; none without a conversation, for what is no chat, and in a class that is not serial."""
    serial = Desk({name: replace(route, serial=name == "strategic") for name, route in ROUTES.items()})
    keys = [
        (await serial.classify("x", class_="strategic", **fields)).serial_key
        for fields in (
            {"conversation_id": "talk", "client": "a"},
            {"conversation_id": "talk", "client": "b"},
            {"conversation_id": "chat", "client": "a"},
            {"conversation_id": "talk", "client": "a"},
        )
    ]
    assert keys[0] == keys[3] != ""
    assert len(set(keys)) == 3
    assert (await serial.classify("x", class_="strategic")).serial_key == ""
    assert (await serial.classify("x", class_="tactical", conversation_id="talk")).serial_key == ""
    counted = await serial.classify("x", class_="strategic", conversation_id="talk", endpoint="/messages/count_tokens")
    assert counted.serial_key == ""
