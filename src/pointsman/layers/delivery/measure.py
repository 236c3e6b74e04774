"""Says what came of each hand-out and writes it into the message's trail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pointsman.model.events import AttemptEnded, Emit
from pointsman.model.outcome import AttemptRecord, Delivered, Failed, Outcome
from pointsman.model.usage import Usage
from pointsman.ports import Attempt, Clock, Deliver

LONGEST_TRAIL: Final = 128
"""Hand-outs remembered of one message. Only one that met nothing but busy workers for hours has more."""

_FIRST: Final = 8
"""The first so many are kept, and the last ones; what is left out between them shows in the numbers."""


def _no_price(name: str, usage: Usage) -> float | None:
    return None


class MeasureDelivery:
    """Emits `AttemptEnded`, also for an attempt that is cancelled, and keeps the message's trail bounded.

    What the attempt took is priced and added to what the message took. `cost` returns the cost of an answer by the name
    of its price, or None where that has none.

    Position: first, because it must see what any layer below makes of the attempt, and before RescueDelivery, because a
    fault that became a value is an outcome like any other.
    """

    def __init__(self, clock: Clock, emit: Emit, cost: Callable[[str, Usage], float | None] = _no_price) -> None:
        self._clock = clock
        self._emit = emit
        self._cost = cost

    def __call__(self, inner: Deliver) -> Deliver:
        """Wrap `inner`."""
        monotonic, emit, cost_of = self._clock.monotonic, self._emit, self._cost

        async def deliver(attempt: Attempt) -> Outcome:
            outcome: Outcome | None = None
            try:
                outcome = await inner(attempt)
                return outcome
            finally:
                now = monotonic()
                took_s = now - attempt.started_at
                envelope, worker, usage = attempt.envelope, attempt.worker, attempt.usage
                cost = None
                if usage is not None:
                    cost = cost_of(attempt.price_name, usage)
                    envelope.usage = usage if envelope.usage is None else envelope.usage.plus(usage)
                    if cost is not None:
                        envelope.cost = cost if envelope.cost is None else envelope.cost + cost
                if type(outcome) is Failed and not outcome.sent and not outcome.status:
                    envelope.unsent += 1
                trail = envelope.trail
                trail.append(_record(attempt, outcome, took_s, cost))
                if len(trail) > LONGEST_TRAIL:
                    del trail[_FIRST]
                worker_s = attempt.worker_s
                emit(AttemptEnded(now, envelope, attempt.pool, worker, took_s, worker_s, outcome, usage, cost))

        return deliver


def _record(attempt: Attempt, outcome: Outcome | None, took_s: float, cost: float | None) -> AttemptRecord:
    if outcome is None:
        result, detail = "cancelled", ""
    elif type(outcome) is Delivered:
        result, detail = "delivered", ""
    elif type(outcome) is Failed:
        result, detail = outcome.reason.value, outcome.detail
    else:
        result, detail = "expired", ""
    first_at = attempt.first_token_at
    return AttemptRecord(
        number=attempt.lease.attempt,
        pool=attempt.pool,
        worker=attempt.worker,
        result=result,
        queued_s=attempt.started_at - attempt.envelope.received_at,
        took_s=took_s,
        worker_s=attempt.worker_s,
        detail=detail,
        first_token_s=None if first_at is None else first_at - attempt.started_at,
        usage=attempt.usage,
        cost=cost,
        parked_s=attempt.parked_s,
        preferred=attempt.preferred,
    )
