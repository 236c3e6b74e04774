"""What would happen to a message: validation and classification without sending, spending or remembering anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from pointsman.core.routing import FallbackRule, Route
from pointsman.model.decision import Evidence
from pointsman.model.message import Envelope
from pointsman.model.outcome import Refused
from pointsman.ports import Clock
from pointsman.runtime.pool import Pool

if TYPE_CHECKING:
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


class Preview(msgspec.Struct, frozen=True, rename={"message_class": "class"}):
    """Answer of a dry run, field by field as the product page gives it."""

    message_class: str
    confidence: float
    probabilities: dict[str, float]
    cause: str
    pool: str
    worker: str | None
    evidence: tuple[Evidence, ...]
    candidates: list[Candidate]
    would_refuse: str | None
    runner_up: str
    margin: float
    threshold: float
    version: str


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
    ) -> None:
        self._validator = validator
        self._classifier = classifier
        self._pins = pins
        self._routes = routes
        self._rules = rules
        self._pools = pools
        self._clock = clock

    def preview(self, envelope: Envelope) -> Refused | Preview:
        """Return what would be decided, or the refusal of a message that is malformed or harmful."""
        refused = self._validator.check(envelope, envelope.received_at)
        if refused is not None:
            return refused
        classification = self._classifier.dry(
            ask=envelope.ask,
            hint=envelope.message.class_,
            client=envelope.client,
            conversation_id=envelope.message.conversation_id,
            now=envelope.received_at,
            pins=self._pins,
        )
        pool = self._pools[self._routes[classification.message_class].pool]
        now = self._clock.monotonic()
        chosen = pool.pick(now)
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
            would_refuse="no_worker" if len(pool) == 0 and not helped else None,
            runner_up=classification.runner_up,
            margin=classification.margin,
            threshold=classification.threshold,
            version=classification.version,
        )
