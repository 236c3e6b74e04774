"""The leaf of delivery: chooses a worker and gives it the message; another one only while none has seen it."""

from __future__ import annotations

from collections.abc import Mapping

from pointsman.model.outcome import Failed, Failure, Outcome
from pointsman.ports import Attempt, Clock
from pointsman.runtime.endpoint import Endpoint
from pointsman.runtime.pool import Pool

_NEVER_CHOSEN = frozenset({Failure.NO_WORKER, Failure.BREAKER_OPEN, Failure.WORKER_LEFT, Failure.WORKER_BUSY})


class Pick:
    """Picks the best worker of the pool, and the next one if the first could not be reached.

    Workers that failed this message before are avoided as long as another one is open; if such another is merely busy,
    the message goes back and waits for it.

    Position: the leaf, after Expire because the choice is made at the last moment.
    """

    def __init__(self, pools: Mapping[str, Pool], clock: Clock) -> None:
        self._pools = pools
        self._clock = clock

    async def __call__(self, attempt: Attempt) -> Outcome:
        """Deliver."""
        pool = self._pools[attempt.pool]
        failed_before = {record.worker for record in attempt.envelope.trail if record.worker}
        unreached: set[str] = set()
        outcome: Outcome = Failed(Failure.NO_WORKER, f"no worker of pool {pool.name!r} was free any more")
        while (endpoint := self._choose(pool, failed_before, unreached)) is not None:
            if attempt.claimed:
                attempt.claimed = False
                pool.unclaim()
            outcome = await endpoint.deliver(attempt)
            if not _may_go_on(outcome, attempt):
                break
            unreached.add(endpoint.id)
        return outcome

    def _choose(self, pool: Pool, failed_before: set[str], unreached: set[str]) -> Endpoint | None:
        now = self._clock.monotonic()
        if not failed_before:
            return pool.pick(now, unreached)
        avoid = failed_before | unreached
        endpoint = pool.pick(now, avoid)
        if endpoint is None and not pool.others_open(avoid):
            endpoint = pool.pick(now, unreached)
        return endpoint


def _may_go_on(outcome: Outcome, attempt: Attempt) -> bool:
    """Whether another worker may be tried within this attempt: no worker has seen the message, and policy allows it."""
    if not isinstance(outcome, Failed) or outcome.sent or outcome.started:
        return False
    if outcome.reason is Failure.MESSAGE_FAULT:
        return False
    return attempt.envelope.redeliver != "never" or outcome.reason in _NEVER_CHOSEN
