"""Ends an attempt that takes too long."""

from __future__ import annotations

import asyncio

from pointsman.model.outcome import Failed, Failure, Outcome
from pointsman.ports import Attempt, Deliver
from pointsman.runtime.endpoint import Endpoint


class Timeout:
    """Cancels the call at the attempt's time-out; what the worker made of it by then is unknown.

    Position: after Limit because waiting for nothing costs no time, before Send because it cancels the call itself.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def __call__(self, inner: Deliver) -> Deliver:
        """Wrap `inner`."""
        endpoint = self._endpoint

        async def deliver(attempt: Attempt) -> Outcome:
            try:
                async with asyncio.timeout(attempt.timeout_s):
                    return await inner(attempt)
            except TimeoutError:
                detail = f"worker {endpoint.id!r} did not answer within {attempt.timeout_s:g} s"
                started = attempt.reply.started
                return Failed(Failure.WORKER_TIMEOUT, detail, worker=endpoint.id, sent=True, started=started)

        return deliver
