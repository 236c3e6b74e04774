"""Says what came of each hand-out and writes it into the message's trail."""

from __future__ import annotations

from typing import Final

from pointsman.model.events import AttemptEnded, Emit
from pointsman.model.outcome import AttemptRecord, Delivered, Failed, Outcome
from pointsman.ports import Attempt, Clock, Deliver

LONGEST_TRAIL: Final = 128
"""Hand-outs remembered of one message. Only one that met nothing but busy workers for hours has more."""

_FIRST: Final = 8
"""The first so many are kept, and the last ones; what is left out between them shows in the numbers."""


class MeasureDelivery:
    """Emits `AttemptEnded`, also for an attempt that is cancelled, and keeps the message's trail bounded.

    Position: first, because it must see what any layer below makes of the attempt, and before RescueDelivery, because a
    fault that became a value is an outcome like any other.
    """

    def __init__(self, clock: Clock, emit: Emit) -> None:
        self._clock = clock
        self._emit = emit

    def __call__(self, inner: Deliver) -> Deliver:
        """Wrap `inner`."""
        monotonic, emit = self._clock.monotonic, self._emit

        async def deliver(attempt: Attempt) -> Outcome:
            outcome: Outcome | None = None
            try:
                outcome = await inner(attempt)
                return outcome
            finally:
                now = monotonic()
                took_s = now - attempt.started_at
                trail = attempt.envelope.trail
                trail.append(_record(attempt, outcome, took_s))
                if len(trail) > LONGEST_TRAIL:
                    del trail[_FIRST]
                emit(
                    AttemptEnded(now, attempt.envelope, attempt.pool, attempt.worker, took_s, attempt.worker_s, outcome)
                )

        return deliver


def _record(attempt: Attempt, outcome: Outcome | None, took_s: float) -> AttemptRecord:
    if outcome is None:
        result, detail = "cancelled", ""
    elif type(outcome) is Delivered:
        result, detail = "delivered", ""
    elif type(outcome) is Failed:
        result, detail = outcome.reason.value, outcome.detail
    else:
        result, detail = "expired", ""
    return AttemptRecord(
        number=attempt.lease.attempt,
        pool=attempt.pool,
        worker=attempt.worker,
        result=result,
        queued_s=attempt.started_at - attempt.envelope.received_at,
        took_s=took_s,
        worker_s=attempt.worker_s,
        detail=detail,
    )
