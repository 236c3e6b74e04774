"""The leaf of delivery: chooses a worker and gives it the message; another one only while none has seen it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pointsman.core.affinity import PreferredWorkers
from pointsman.core.conversation import conversation_of
from pointsman.core.health import WORKER_FAULTS
from pointsman.core.suitable import NOBODY, need_of
from pointsman.model.outcome import AttemptRecord, Delivered, Expired, Failed, Failure, Outcome
from pointsman.ports import Attempt, Clock
from pointsman.runtime.choosing import choose, wanted
from pointsman.runtime.pool import Pool

_FAULTS: Final = frozenset(fault.value for fault in (*WORKER_FAULTS, Failure.LEASE_LOST))
"""Results of an attempt after which the worker is avoided; one that was merely busy has done nothing wrong."""

_PATIENCE: Final = 6
"""Times that a message goes back to wait for another worker than those that failed it."""

_FIRST_PAUSE_S: Final = 0.1
"""How long it waits the first time, seconds; 6.3 s in all."""

_NEVER_CHOSEN: Final = frozenset({Failure.NO_WORKER, Failure.BREAKER_OPEN, Failure.WORKER_LEFT, Failure.WORKER_BUSY})


class Pick:
    """Picks the best worker of the pool, and the next one if the first could not be reached.

    Workers that failed this message before are avoided as long as another one is open; if such another is merely busy,
    the message goes back and waits for it, each time twice as long. After `_PATIENCE` times in vain it takes whom it
    gets: a worker that failed once may do well now, and one that is always busy would starve it.

    Only workers that can serve the message are looked at, and the one that served its conversation last is preferred,
    see `runtime.choosing`.

    Position: the leaf, after Expire because the choice is made at the last moment.
    """

    def __init__(self, pools: Mapping[str, Pool], preferred: PreferredWorkers, clock: Clock) -> None:
        self._pools = pools
        self._preferred = preferred
        self._clock = clock

    async def __call__(self, attempt: Attempt) -> Outcome:
        """Deliver."""
        pool, envelope, monotonic = self._pools[attempt.pool], attempt.envelope, self._clock.monotonic
        trail = envelope.trail
        vain = _in_vain(trail) if trail else 0
        failed = {record.worker for record in trail if record.result in _FAULTS} if vain < _PATIENCE else NOBODY
        unreached: set[str] = set()
        outcome: Outcome | None = None
        conversation = conversation_of(envelope)
        if conversation is not None:
            attempt.preferred = self._preferred.get(pool.name, envelope.client, conversation, attempt.started_at)
        need = need_of(envelope)
        wish = wanted(attempt, pool, self._clock, need, attempt.preferred) if need or attempt.preferred else None
        while True:
            if wish is None:
                endpoint = choose(pool, monotonic(), failed, unreached)
            else:
                endpoint = wish.preferred_now(failed, unreached) or await wish.find(failed, unreached)
                if endpoint is None and envelope.expires_at <= monotonic():
                    return Expired()
            if endpoint is None:
                return outcome or _nobody(pool, vain)
            if attempt.claimed:
                attempt.claimed = False
                pool.unclaim()
            try:
                outcome = await endpoint.deliver(attempt)
            finally:
                if conversation is not None and (type(outcome) is Delivered or attempt.reply.started):
                    # Its prompt cache knows the conversation now, whatever became of the answer.
                    self._preferred.note(pool.name, envelope.client, conversation, endpoint.id, monotonic())
            if not _may_go_on(outcome, attempt):
                return outcome
            unreached.add(endpoint.id)


def _in_vain(trail: Sequence[AttemptRecord]) -> int:
    """Return how many hand-outs in a row, the last one included, found no worker."""
    vain = 0
    for record in reversed(trail):
        if record.result != Failure.NO_WORKER:
            break
        vain += 1
    return vain


def _nobody(pool: Pool, vain: int) -> Failed:
    pause_s = _FIRST_PAUSE_S * 2.0 ** min(vain, _PATIENCE)
    return Failed(Failure.NO_WORKER, f"no worker of pool {pool.name!r} was free for it", retry_after_s=pause_s)


def _may_go_on(outcome: Outcome, attempt: Attempt) -> bool:
    """Whether another worker may be tried within this attempt: no worker has seen the message, and policy allows it."""
    if not isinstance(outcome, Failed) or outcome.sent or outcome.started:
        return False
    if outcome.reason is Failure.MESSAGE_FAULT:
        return False
    return attempt.envelope.redeliver != "never" or outcome.reason in _NEVER_CHOSEN
