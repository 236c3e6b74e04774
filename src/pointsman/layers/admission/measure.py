"""Says what came of each message at admission."""

from __future__ import annotations

from pointsman.model.events import Admitted, Emit, MessageRefused
from pointsman.model.message import Envelope
from pointsman.model.outcome import Receipt, Refused
from pointsman.ports import Admit, Clock


class Measure:
    """Emits `Admitted` or `MessageRefused` and takes the time of admission.

    Position: first, because what any layer below refuses or breaks must be counted, and before Doors, because a refusal
    while draining is counted like any other.
    """

    def __init__(self, clock: Clock, emit: Emit) -> None:
        self._clock = clock
        self._emit = emit

    def __call__(self, inner: Admit) -> Admit:
        """Wrap `inner`."""
        monotonic, emit = self._clock.monotonic, self._emit

        async def admit(envelope: Envelope) -> Receipt:
            receipt = await inner(envelope)
            now = monotonic()
            if isinstance(receipt, Refused):
                emit(MessageRefused(now, envelope, receipt))
            else:
                emit(Admitted(now, envelope, envelope.admission_s, envelope.classify_s))
            return receipt

        return admit
