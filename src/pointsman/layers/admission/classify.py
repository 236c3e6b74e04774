"""Gives the message its class, and with it the pool whose queue it will wait in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.pipeline import Classifier
from pointsman.core.conversation import conversation_of
from pointsman.core.routing import Route
from pointsman.model.message import Envelope
from pointsman.model.outcome import Receipt
from pointsman.ports import Admit, Clock
from pointsman.runtime.second_opinion import SecondOpinion


def _always(pool: str) -> bool:
    return True


class Classify:
    """Classifies and fills in the route. Embeddings and counts of tokens belong to no conversation: they neither follow
    its class nor decide it.

    Args:
        classifier: decides.
        pins: what conversations are remembered in.
        routes: where each class goes.
        clock: time.
        is_up: whether a pool has a worker that may be given messages; a conversation is not held where nobody is.
        second: somebody to ask where the classifier is unsure, or None.

    Position: after FloodGuard because it costs the most of all layers here, before Shed because how long a message
    would wait depends on its pool.
    """

    def __init__(
        self,
        classifier: Classifier,
        pins: ConversationPins,
        routes: Mapping[str, Route],
        clock: Clock,
        is_up: Callable[[str], bool] = _always,
        second: SecondOpinion | None = None,
    ) -> None:
        self._classifier = classifier
        self._pins = pins
        self._routes = routes
        self._clock = clock
        self._is_up = is_up
        self._second = second

    def around(self, pins: ConversationPins) -> Classify:
        """Return the same layer around other conversations, and with nobody to ask."""
        return Classify(self._classifier, pins, self._routes, self._clock, self._is_up)

    def __call__(self, inner: Admit) -> Admit:
        """Wrap `inner`."""
        classifier, pins, routes, second = self._classifier, self._pins, self._routes, self._second
        monotonic, is_up = self._clock.monotonic, self._is_up

        def serves(message_class: str) -> bool:
            return is_up(routes[message_class].pool)

        async def admit(envelope: Envelope) -> Receipt:
            message = envelope.message
            conversation = conversation_of(envelope)
            started = monotonic()
            opinion = None
            if second is not None:
                # Asked before anything is noted: what the conversation is pinned to must be the class in the end.
                unsure = classifier.dry(
                    ask=envelope.ask,
                    hint=message.class_,
                    client=envelope.client,
                    conversation_id=conversation,
                    now=envelope.received_at,
                    pins=pins,
                    serves=serves,
                )
                if classifier.is_unsure(unsure):
                    opinion = await second.ask(envelope.ask)
            envelope.classification = classification = classifier.classify(
                ask=envelope.ask,
                hint=message.class_,
                client=envelope.client,
                conversation_id=conversation,
                now=envelope.received_at,
                pins=pins,
                serves=serves,
                second=opinion,
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
