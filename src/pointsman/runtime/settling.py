"""What becomes of a message after an attempt, or without one: settle it, tell its caller, tell the world. Once.

The policy is `core.retry`; the engine is the judge of whether the lease still holds; this file is the only one that
emits `Ended`, so each message ends exactly once for everybody who listens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pointsman.core import retry
from pointsman.model.errors import LeaseLost
from pointsman.model.events import Emit, Ended
from pointsman.model.message import Envelope
from pointsman.model.outcome import (
    Ack,
    Cause,
    Dead,
    Expire,
    Fail,
    Failed,
    Failure,
    Outcome,
    RetryIn,
    Settlement,
)
from pointsman.model.result import Result
from pointsman.model.settings import RetrySettings
from pointsman.model.states import Status
from pointsman.model.views import EndedMessage
from pointsman.ports import Clock, Engine, Lease
from pointsman.runtime.replies import Replies

if TYPE_CHECKING:
    import random

_ENDS: Mapping[type[Settlement], Status] = {
    Ack: Status.DELIVERED,
    Fail: Status.FAILED,
    Dead: Status.DEAD,
    Expire: Status.EXPIRED,
}


class Settler:
    """Ends attempts and messages. `policies` holds the retry settings by pool; assembly sets them.

    Args:
        engine: keeps the message's state.
        replies: callers that wait.
        clock: time.
        rng: for the jitter of retries.
        emit: takes events.
        due: called with the monotonic seconds at which a delayed message becomes ready.
        ready: called with the name of a queue in which a message has become ready again at once.
    """

    def __init__(
        self,
        engine: Engine,
        replies: Replies,
        clock: Clock,
        rng: random.Random,
        emit: Emit,
        due: Callable[[float], None],
        ready: Callable[[str], None],
    ) -> None:
        self._engine = engine
        self._replies = replies
        self._clock = clock
        self._rng = rng
        self._emit = emit
        self._due = due
        self._ready = ready
        self.policies: Mapping[str, RetrySettings] = {}

    async def settle(self, lease: Lease, outcome: Outcome) -> Settlement | None:
        """End an attempt; returns what was settled, or None where the lease no longer held and nothing was done."""
        envelope = lease.envelope
        counted = int(retry.counts(outcome))
        envelope.tries += counted
        now = self._clock.monotonic()
        settlement = retry.after(outcome, envelope, self.policies[envelope.pool], now, self._rng)
        try:
            await self._engine.settle(lease, settlement)
        except LeaseLost:
            envelope.tries -= counted
            return None
        if isinstance(settlement, RetryIn):
            if settlement.delay_s > 0.0:
                self._due(now + settlement.delay_s)
            else:
                self._ready(envelope.pool)
        else:
            self._end(envelope, _ENDS[type(settlement)], *_why(settlement))
        return settlement

    async def lost(self, lease: Lease) -> Settlement | None:
        """Settle an attempt whose lease ran out: nobody knows what came of it."""
        detail = f"attempt {lease.attempt} was not renewed in time"
        return await self.settle(lease, Failed(Failure.LEASE_LOST, detail, sent=True))

    def ended(self, ended: EndedMessage) -> None:
        """Tell of a message that the engine ended without an attempt."""
        self._end(ended.envelope, ended.status, ended.cause, ended.detail)

    def _end(self, envelope: Envelope, status: Status, cause: Cause | None, detail: str) -> None:
        now = self._clock.monotonic()
        last = envelope.trail[-1] if envelope.trail else None
        overhead_s = overhead(envelope)
        self._emit(Ended(now, envelope, status, cause, detail, overhead_s, now - envelope.received_at))
        classification = envelope.classification
        self._replies.resolve(
            Result(
                id=envelope.id,
                status=status,
                reply=self._replies.sink(envelope.id).reply(),
                message_class=classification.message_class if classification else "",
                pool=last.pool if last else envelope.pool,
                worker=last.worker if last else "",
                fallback=last is not None and last.pool != envelope.pool,
                attempts=envelope.attempt,
                overhead_s=overhead_s,
                cause=cause,
                detail=detail,
                usage=envelope.usage,
                cost=envelope.cost,
            )
        )


def overhead(envelope: Envelope) -> float:
    """Return the seconds the router itself added to a message.

    Admission, the wait for the dispatcher where a worker was free, and each attempt less the worker's own part. Waiting
    for a free worker, or for a particular one, and back-off between attempts are not the router's work and are left
    out.
    """
    total = envelope.admission_s
    if envelope.trail and not envelope.waited:
        total += max(0.0, envelope.trail[0].queued_s - envelope.admission_s)
    return total + sum(record.took_s - record.worker_s - record.parked_s for record in envelope.trail)


def _why(settlement: Settlement) -> tuple[Cause | None, str]:
    match settlement:
        case Fail():
            return Cause.MESSAGE_FAULT, settlement.detail
        case Dead():
            return settlement.cause, settlement.detail
        case Expire():
            return Cause.TTL, "its time to live ended before a worker could be given it"
        case _:
            return None, ""
