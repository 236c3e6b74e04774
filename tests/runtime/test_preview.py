"""Dry runs: what would be decided, by the live rules and the live fleet, and nothing remembered of it."""

from __future__ import annotations

import asyncio
import random

from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.pipeline import Classifier
from pointsman.core.ids import IdSource
from pointsman.core.routing import FallbackRule, routes
from pointsman.core.validate import Validator
from pointsman.model.message import Message
from pointsman.model.outcome import Refusal, Refused
from pointsman.model.settings import Settings
from pointsman.runtime.envelopes import Envelopes
from pointsman.runtime.preview import Preview, Previewer
from pointsman.sim import SimClock
from pointsman.testing.make import attempt
from tests.runtime.fleet_of import Scripted, Yard


class Office:
    """A previewer of default settings with two pools, `planners` helped by `coders`."""

    def __init__(self) -> None:
        settings = Settings()
        self.clock = SimClock()
        self.yards = {name: Yard(self.clock) for name in ("planners", "coders")}
        pools = {name: yard.pool for name, yard in self.yards.items()}
        for name, pool in pools.items():
            pool.name = name
        self.pins = ConversationPins(3600.0, 10)
        rng = random.Random(1)
        self.envelopes = Envelopes(self.clock, IdSource(0, rng), rng)
        self.previewer = Previewer(
            Validator(settings.validation, settings.classes),
            Classifier(settings.classifier, settings.classes),
            self.pins,
            routes(settings),
            {"planners": FallbackRule(("coders",), 5.0, on_busy=False)},
            pools,
            self.clock,
        )

    def preview(self, text: str, **fields: object) -> Preview:
        """Return the answer, which must not be a refusal."""
        answer = self.ask(text, **fields)
        assert isinstance(answer, Preview)
        return answer

    def ask(self, text: str, **fields: object) -> Refused | Preview:
        """Return the answer."""
        return self.previewer.preview(self.envelopes.wrap(Message(text=text, **fields)))  # type: ignore[arg-type]


async def test_it_says_class_pool_and_worker() -> None:
    """With the evidence, and every worker of the pool as a candidate."""
    office = Office()
    for name in ("w", "v"):
        office.yards["coders"].join(name, Scripted(), slots=2)
    seen = office.preview("rename foo to bar in utils.py")
    assert (seen.message_class, seen.pool, seen.cause) == ("tactical", "coders", "rule")
    assert seen.worker in {"w", "v"}
    assert seen.evidence
    assert [(one.worker, one.free, one.in_flight, one.breaker) for one in seen.candidates] == [
        ("w", 2, 0, "closed"),
        ("v", 2, 0, "closed"),
    ]
    assert seen.would_refuse is None


async def test_a_busy_worker_is_a_candidate_and_not_the_choice() -> None:
    """Nobody would get it now, and it would not be refused: it would wait."""
    office = Office()
    hold = asyncio.Event()
    endpoint = office.yards["coders"].join("w", Scripted(hold=hold))
    task = asyncio.ensure_future(endpoint.deliver(attempt(at=office.clock.monotonic())))
    await asyncio.sleep(0)
    seen = office.preview("x", class_="tactical")
    assert (seen.worker, seen.would_refuse) == (None, None)
    assert [(one.free, one.in_flight) for one in seen.candidates] == [(0, 1)]
    hold.set()
    await task


async def test_without_any_worker_it_says_that_it_would_be_refused() -> None:
    """A helper with a worker is one; a strict message has no helpers."""
    office = Office()
    assert office.preview("x", class_="strategic").would_refuse == "no_worker"
    office.yards["coders"].join("w", Scripted())
    assert office.preview("x", class_="strategic").would_refuse is None
    assert office.preview("x", class_="strategic", strict=True).would_refuse == "no_worker"


async def test_what_is_malformed_is_refused_as_it_would_be() -> None:
    """With the same reason and field."""
    refused = Office().ask("x", priority="urgent")
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.field) == (Refusal.INVALID, "priority")


async def test_nothing_is_remembered() -> None:
    """No pin, no slot, no balancer's choice: asking a hundred times changes no answer."""
    office = Office()
    yard = office.yards["planners"]
    yard.join("p", Scripted())
    for _ in range(100):
        office.preview("design the architecture of a distributed queue", conversation_id="talk")
    assert len(office.pins) == 0
    assert (yard.pool.free, yard.pool.endpoint("p").load.in_flight) == (1, 0)


async def test_a_conversation_keeps_its_class_in_a_dry_run_too() -> None:
    """What is pinned decides here as on the real way."""
    office = Office()
    office.pins.settle("local", "talk", "strategic", {"strategic": 10.0, "tactical": 1.0}, office.clock.monotonic())
    seen = office.preview("rename foo to bar in utils.py", conversation_id="talk")
    assert (seen.message_class, seen.cause) == ("strategic", "pin")
