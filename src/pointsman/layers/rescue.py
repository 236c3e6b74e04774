"""Turns faults into values at the top of both stacks, so that trouble with the engine or a bug of ours reaches a sender
as a clear refusal and a message as a clear failure, never as a traceback or silence.

One of the four files with a broad except. Cancellation passes through untouched.
"""

from __future__ import annotations

import logging

from pointsman.model.errors import EngineError
from pointsman.model.message import Envelope
from pointsman.model.outcome import Failed, Failure, Outcome, Receipt, Refusal, Refused
from pointsman.ports import Admit, Attempt, Deliver

log = logging.getLogger("pointsman.rescue")


class Rescue:
    """Refuses with `unavailable` where something below broke.

    Position: after Measure and Doors because what it makes of a fault is counted, before Validate and all others
    because any of them may be what breaks.
    """

    def __call__(self, inner: Admit) -> Admit:
        """Wrap `inner`."""

        async def admit(envelope: Envelope) -> Receipt:
            try:
                return await inner(envelope)
            except EngineError as fault:
                return Refused(Refusal.UNAVAILABLE, f"the queue cannot take messages now: {fault}", 1.0)
            except Exception:
                log.exception("admission of message %s failed: a bug in Pointsman, please report it", envelope.id)
                detail = f"an internal fault, logged under {envelope.id}; the message was not accepted"
                return Refused(Refusal.UNAVAILABLE, detail, 1.0)

        return admit


class RescueDelivery:
    """Fails an attempt with `router_error` where something below broke.

    Position: after MeasureDelivery because the failure is counted and recorded, before HoldLease and all others because
    any of them may be what breaks.
    """

    def __call__(self, inner: Deliver) -> Deliver:
        """Wrap `inner`."""

        async def deliver(attempt: Attempt) -> Outcome:
            try:
                return await inner(attempt)
            except Exception:
                message_id = attempt.envelope.id
                log.exception("delivery of message %s failed: a bug in Pointsman, please report it", message_id)
                detail = f"an internal fault, logged under {message_id}"
                return Failed(Failure.ROUTER_ERROR, detail, worker=attempt.worker, sent=bool(attempt.worker))

        return deliver
