"""Dry runs: what would be decided, by the live rules and the live fleet, and nothing remembered of it."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from pointsman.core.affinity import PreferredWorkers
from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.pipeline import Classifier
from pointsman.core.ids import IdSource
from pointsman.core.routing import FallbackRule, routes
from pointsman.core.validate import Validator
from pointsman.model.message import Message
from pointsman.model.outcome import Refusal, Refused
from pointsman.model.settings import BudgetSettings, ClassifierSettings, PriceSettings, RuleSettings, Settings
from pointsman.runtime.costs import Costs
from pointsman.runtime.envelopes import Envelopes
from pointsman.runtime.observers import Observers
from pointsman.runtime.preview import Expected, Preview, Previewer
from pointsman.sim import SimClock
from pointsman.testing.make import attempt
from tests.runtime.fleet_of import Scripted, Yard


class Office:
    """A previewer of default settings with two pools, `planners` helped by `coders`."""

    def __init__(self, **sections: Any) -> None:
        settings = Settings(**sections)
        self.clock = SimClock()
        self.yards = {name: Yard(self.clock) for name in ("planners", "coders")}
        pools = {name: yard.pool for name, yard in self.yards.items()}
        for name, pool in pools.items():
            pool.name = name
        self.pins = ConversationPins(3600.0, 10)
        rng = random.Random(1)
        self.envelopes = Envelopes(self.clock, IdSource(0, rng), rng)
        rules = {"planners": FallbackRule(("coders",), 5.0, on_busy=False)}
        self.preferred = PreferredWorkers(3600.0, 10)
        self.costs = Costs(settings, pools, self.clock, Path(), Observers())
        self.costs.use(settings, rules)
        self.previewer = Previewer(
            Validator(settings.validation, settings.classes),
            Classifier(settings.classifier, settings.classes),
            self.pins,
            routes(settings),
            rules,
            pools,
            self.clock,
            self.costs,
            self.preferred,
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


async def test_it_says_how_the_class_came_about() -> None:
    """Microseconds it took, which rules contradict each other, and no score where rules decided."""
    rules = [RuleSettings(phrase="why", message_class=name, force=True) for name in ("tactical",)]
    rules.append(RuleSettings(phrase="rename", message_class="strategic", force=True))
    seen = Office(classifier=ClassifierSettings(rules=rules)).preview("why rename it")
    assert (seen.cause, seen.overruled, seen.bias, seen.logit) == ("rule", ("tactical",), 0.0, None)
    assert seen.classify_s >= 0.0
    assert {one.feature for one in seen.evidence} == {"rules.0", "rules.1"}


async def test_a_conversation_is_not_held_where_nobody_is() -> None:
    """As on the message path, and the pin is left as it is."""
    office = Office()
    office.yards["coders"].join("w", Scripted())
    office.pins.settle("local", "talk", "strategic", {"strategic": 5.0, "tactical": 1.0}, office.clock.monotonic())
    assert office.preview("rename foo to bar", conversation_id="talk").message_class == "tactical"
    office.yards["planners"].join("p", Scripted())
    assert office.preview("rename foo to bar", conversation_id="talk").cause == "pin"


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


async def test_a_dry_run_says_what_the_message_would_take() -> None:
    """Tokens always, money where a worker that may get it has a price."""
    office = Office(prices={"w": PriceSettings(input=4.0, output=8.0)})
    assert office.preview("x" * 40).estimate == Expected(10, 1024, None, "USD")
    office.yards["coders"].join("w", Scripted())
    office.yards["planners"].join("p", Scripted())
    for event in office.yards["coders"].events:
        office.costs.fares.observe(event)
    estimate = office.preview("x" * 40, class_="tactical", params={"max_tokens": 100}).estimate
    assert estimate.output_tokens == 100
    assert estimate.money == pytest.approx(10 * 4e-6 + 100 * 8e-6)


async def test_a_dry_run_names_the_budget_that_could_not_pay_and_spends_nothing() -> None:
    """However often it is asked; a budget is asked before it is known whether anybody could serve the message."""
    office = Office(budgets={"b": BudgetSettings(scope="class", tokens=1030)})
    for _ in range(3):
        assert office.preview("x" * 4, class_="tactical").would_refuse == "no_worker"
    assert office.preview("x" * 40, class_="tactical").would_refuse == "budget_exceeded"
    assert len(office.costs.spending) == 0


async def test_a_conversation_shows_the_worker_it_prefers() -> None:
    """While that one can take it now; a count of tokens has no preference. Nothing is noted."""
    office = Office()
    yard = office.yards["coders"]
    for name in "abcd":
        yard.join(name, Scripted())
    office.preferred.note("coders", "local", "talk", "c", office.clock.monotonic())
    seen = {office.preview("x", class_="tactical", conversation_id="talk").worker for _ in range(20)}
    assert seen == {"c"}
    yard.pool.drain(yard.pool.endpoint("c"), draining=True)
    assert office.preview("x", class_="tactical", conversation_id="talk").worker in {"a", "b", "d"}
    assert len(office.preferred) == 1


async def test_only_a_worker_that_can_serve_it_is_shown() -> None:
    """Of a model that was asked for."""
    office = Office()
    for name in "abcd":
        office.yards["coders"].join(name, Scripted(), transport="openai", model=f"model-{name}")
    envelope = office.envelopes.wrap(Message(text="x", class_="tactical"))
    envelope.model = "model-d"
    answer = office.previewer.preview(envelope)
    assert isinstance(answer, Preview)
    assert answer.worker == "d"
