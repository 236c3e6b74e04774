"""Never more at a worker than it was said to take."""

from __future__ import annotations

from pointsman.model.outcome import Failed, Failure, Outcome
from pointsman.ports import Attempt, Deliver
from pointsman.runtime.endpoint import Endpoint


class Limit:
    """Turns a call away, unsent, that would put the worker above `max_in_flight`.

    The pool's slots keep that from happening; this guards the worker when its limit is lowered while calls run.

    Position: after Breaker, whose permit it gives back unused, before Timeout because it takes no time.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def __call__(self, inner: Deliver) -> Deliver:
        """Wrap `inner`."""
        endpoint = self._endpoint

        async def deliver(attempt: Attempt) -> Outcome:
            load = endpoint.load
            if load.in_flight > load.limit:
                detail = f"worker {endpoint.id!r} has its {load.limit} messages in hand"
                return Failed(Failure.WORKER_BUSY, detail, worker=endpoint.id)
            return await inner(attempt)

        return deliver
