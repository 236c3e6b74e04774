"""The classify layer: class, route and what follows from both, for the message and for its conversation."""

from __future__ import annotations

from typing import Any

import pytest

from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.pipeline import Classifier
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

    def __init__(self) -> None:
        settings = Settings()
        self.inner = Probe(Accepted("x"))
        self.pins = ConversationPins(3600.0, 100)
        classifier = Classifier(settings.classifier, settings.classes)
        self.admit = Classify(classifier, self.pins, ROUTES, FakeClock())(self.inner)

    async def classify(self, text: str, **fields: object) -> Envelope:
        """Send a message that nothing was decided about yet."""
        of = envelope(text, **fields)  # type: ignore[arg-type]
        of.classification, of.pool = None, ""
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
