"""Ends an attempt that takes too long."""

from __future__ import annotations

import asyncio

from pointsman.model.outcome import Failed, Failure, Outcome
from pointsman.ports import Attempt, Clock, Deliver
from pointsman.runtime.deadlines import Deadlines
from pointsman.runtime.endpoint import Endpoint


class Timeout:
    """Cancels the call at the attempt's time-out; what the worker made of it by then is unknown.

    Position: after Limit because waiting for nothing costs no time, before Send because it cancels the call itself.
    """

    def __init__(self, endpoint: Endpoint, deadlines: Deadlines, clock: Clock) -> None:
        self._endpoint = endpoint
        self._deadlines = deadlines
        self._clock = clock

    def __call__(self, inner: Deliver) -> Deliver:
        """Wrap `inner`."""
        endpoint, deadlines, monotonic = self._endpoint, self._deadlines, self._clock.monotonic

        async def deliver(attempt: Attempt) -> Outcome:
            task = attempt.task or asyncio.current_task()
            assert task is not None
            deadline = deadlines.set(monotonic() + attempt.timeout_s, task)
            try:
                outcome = await inner(attempt)
            except asyncio.CancelledError:
                if not deadline.is_why(task):
                    raise
                detail = f"worker {endpoint.id!r} did not answer within {attempt.timeout_s:g} s"
                started = attempt.reply.started
                return Failed(Failure.WORKER_TIMEOUT, detail, worker=endpoint.id, sent=True, started=started)
            else:
                deadline.is_why(task)
                return outcome
            finally:
                deadlines.drop(deadline)

        return deliver
