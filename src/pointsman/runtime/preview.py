"""What would happen to a message: validation and classification without sending, spending or remembering anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from pointsman.core.conversation import conversation_of
from pointsman.core.routing import FallbackRule, Route
from pointsman.core.suitable import need_of
from pointsman.model.decision import Evidence
from pointsman.model.message import Envelope
from pointsman.model.outcome import Refusal, Refused
from pointsman.model.usage import Estimate
from pointsman.ports import Clock
from pointsman.runtime.choosing import first_choice
from pointsman.runtime.costs import Costs
from pointsman.runtime.pool import Pool

if TYPE_CHECKING:
    from pointsman.core.affinity import PreferredWorkers
    from pointsman.core.classify.pins import ConversationPins
    from pointsman.core.classify.pipeline import Classifier
    from pointsman.core.validate import Validator


class Candidate(msgspec.Struct, frozen=True):
    """A worker that might be chosen. `free`: messages it could take now; `cost`: what adaptive compares."""

    worker: str
    free: int
    in_flight: int
    breaker: str
    cost: float


class Expected(msgspec.Struct, frozen=True):
    """What the message would be expected to take, at the dearest price that may come to count; None without prices."""

    input_tokens: int
    output_tokens: int
    money: float | None
    currency: str


class Preview(msgspec.Struct, frozen=True, rename={"message_class": "class"}):
    """Answer of a dry run, field by field as the product page gives it.

    `evidence` and `bias` add up to `logit` where a model decided, see `model.decision.Classification`; `classify_s` is
    what deciding took, without making the evidence.
    """

    message_class: str
    confidence: float
    probabilities: dict[str, float]
    cause: str
    pool: str
    worker: str | None
    evidence: tuple[Evidence, ...]
    candidates: list[Candidate]
    would_refuse: str | None
    estimate: Expected
    runner_up: str
    margin: float
    threshold: float
    version: str
    bias: float
    logit: float | None
    classify_s: float
    overruled: tuple[str, ...]


class Previewer:
    """Answers dry runs with the live rules and the live fleet.

    Args:
        validator: as on the message path.
        classifier: as on the message path; asked without touching a conversation's pin.
        pins: conversations that keep their class.
        routes: where each class goes.
        rules: pools that may help a pool.
        pools: all pools.
        clock: time.
        costs: prices and budgets.
        preferred: which worker each conversation prefers.
    """

    def __init__(
        self,
        validator: Validator,
        classifier: Classifier,
        pins: ConversationPins,
        routes: Mapping[str, Route],
        rules: Mapping[str, FallbackRule],
        pools: Mapping[str, Pool],
        clock: Clock,
        costs: Costs,
        preferred: PreferredWorkers,
    ) -> None:
        self._validator = validator
        self._classifier = classifier
        self._pins = pins
        self._routes = routes
        self._rules = rules
        self._pools = pools
        self._clock = clock
        self._costs = costs
        self._preferred = preferred

    def preview(self, envelope: Envelope) -> Refused | Preview:
        """Return what would be decided, or the refusal of a message that is malformed or harmful."""
        refused = self._validator.check(envelope, envelope.received_at)
        if refused is not None:
            return refused
        began = self._clock.monotonic()
        classification = self._classifier.dry(
            ask=envelope.ask,
            hint=envelope.message.class_,
            client=envelope.client,
            conversation_id=conversation_of(envelope),
            now=envelope.received_at,
            pins=self._pins,
            serves=self._serves,
        )
        classify_s = self._clock.monotonic() - began
        pool = self._pools[self._routes[classification.message_class].pool]
        envelope.classification, envelope.pool = classification, pool.name
        estimate = self._costs.fares.estimate(envelope)
        now = self._clock.monotonic()
        chosen = first_choice(pool, now, need_of(envelope), self._preference(envelope, now))
        rule = None if envelope.message.strict else self._rules.get(pool.name)
        helped = rule is not None and any(len(self._pools[name]) for name in rule.helpers)
        return Preview(
            message_class=classification.message_class,
            confidence=classification.confidence,
            probabilities=classification.probabilities,
            cause=classification.cause,
            pool=pool.name,
            worker=None if chosen is None else chosen.id,
            evidence=classification.evidence,
            candidates=[
                Candidate(
                    worker=endpoint.id,
                    free=endpoint.load.available,
                    in_flight=endpoint.load.in_flight,
                    breaker=endpoint.breaker.state,
                    cost=endpoint.load.cost(now),
                )
                for endpoint in pool
            ],
            would_refuse=self._would_refuse(envelope, estimate, nobody=len(pool) == 0 and not helped),
            estimate=Expected(
                estimate.input_tokens, estimate.output_tokens, estimate.money, self._costs.fares.currency
            ),
            runner_up=classification.runner_up,
            margin=classification.margin,
            threshold=classification.threshold,
            version=classification.version,
            bias=classification.bias,
            logit=classification.logit,
            classify_s=classify_s,
            overruled=classification.overruled,
        )

    def _serves(self, message_class: str) -> bool:
        return self._pools[self._routes[message_class].pool].down_since is None

    def _preference(self, envelope: Envelope, now: float) -> str:
        conversation = conversation_of(envelope)
        return "" if conversation is None else self._preferred.get(envelope.pool, envelope.client, conversation, now)

    def _would_refuse(self, envelope: Envelope, estimate: Estimate, *, nobody: bool) -> str | None:
        if self._costs.spending.would_refuse(envelope, estimate):
            return Refusal.BUDGET_EXCEEDED.value
        return Refusal.NO_WORKER.value if nobody else None
