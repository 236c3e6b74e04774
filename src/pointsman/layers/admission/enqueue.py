"""The leaf of admission: the message is ours from here on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pointsman.model.message import Envelope
from pointsman.model.outcome import Accepted, Receipt
from pointsman.ports import Clock, Engine, Notifier


class Enqueue:
    """Puts the message into its queue and tells the dispatchers that may serve it; of a message that its sender may
    carry, the sender tells them if it cannot.

    Position: the leaf, after everything that may refuse because what is accepted is never refused afterwards.
    """

    def __init__(
        self,
        engine: Engine,
        notifier: Notifier,
        topics: Mapping[str, tuple[str, ...]],
        expect: Callable[[float], None],
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._notifier = notifier
        self._topics = topics
        self._expect = expect
        self._clock = clock

    async def __call__(self, envelope: Envelope) -> Receipt:
        """Enqueue."""
        receipt = await self._engine.put(envelope)
        if isinstance(receipt, Accepted):
            envelope.admission_s = self._clock.monotonic() - envelope.received_at
            self._expect(envelope.expires_at)
            if envelope.by_sender:
                return receipt
            for topic in self._topics[envelope.pool]:
                self._notifier.notify(topic)
        return receipt
