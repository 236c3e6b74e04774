"""Gives the message its class, and with it the pool whose queue it will wait in."""

from __future__ import annotations

from collections.abc import Mapping

from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.pipeline import Classifier
from pointsman.core.conversation import conversation_of
from pointsman.core.routing import Route
from pointsman.model.message import Envelope
from pointsman.model.outcome import Receipt
from pointsman.ports import Admit, Clock


class Classify:
    """Classifies and fills in the route. Embeddings and counts of tokens belong to no conversation: they neither follow
    its class nor decide it.

    Position: after FloodGuard because it costs the most of all layers here, before Shed because how long a message
    would wait depends on its pool.
    """

    def __init__(
        self, classifier: Classifier, pins: ConversationPins, routes: Mapping[str, Route], clock: Clock
    ) -> None:
        self._classifier = classifier
        self._pins = pins
        self._routes = routes
        self._clock = clock

    def __call__(self, inner: Admit) -> Admit:
        """Wrap `inner`."""
        classify, pins, routes = self._classifier.classify, self._pins, self._routes
        monotonic = self._clock.monotonic

        async def admit(envelope: Envelope) -> Receipt:
            message = envelope.message
            conversation = conversation_of(envelope)
            started = monotonic()
            envelope.classification = classification = classify(
                ask=envelope.ask,
                hint=message.class_,
                client=envelope.client,
                conversation_id=conversation,
                now=envelope.received_at,
                pins=pins,
            )
            route = routes[classification.message_class]
            envelope.pool = route.pool
            envelope.redeliver = message.redeliver or route.redeliver
            envelope.max_attempts = route.max_attempts
            if route.serial and conversation is not None:
                # Neither a client nor a conversation has a line end in its name.
                envelope.serial_key = f"{envelope.client}\n{conversation}"
            envelope.classify_s = monotonic() - started
            return await inner(envelope)

        return admit
