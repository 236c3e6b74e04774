"""Holds each client, and all of them together, to a rate."""

from __future__ import annotations

from pointsman.core.bucket import TokenBucket
from pointsman.model.message import Envelope
from pointsman.model.outcome import Receipt, Refusal, Refused
from pointsman.ports import Admit

_EVERYBODY = ""


class RateLimit:
    """Refuses with `rate_limited` and says when to come back.

    The client's own limit is asked first; where the overall limit then refuses, the client gets its token back, so that
    one limit never eats into another.

    Position: after Validate because what is malformed is not counted, before FloodGuard and Classify because it is the
    cheapest way to say no.
    """

    def __init__(self, per_client: TokenBucket, overall: TokenBucket | None) -> None:
        self._per_client = per_client
        self._overall = overall

    def __call__(self, inner: Admit) -> Admit:
        """Wrap `inner`."""
        per_client, overall = self._per_client, self._overall

        async def admit(envelope: Envelope) -> Receipt:
            now = envelope.received_at
            wait_s = per_client.take(envelope.client, now)
            if wait_s > 0.0:
                return _refuse(f"client {envelope.client!r} sends faster than its limit", wait_s)
            if overall is not None and (wait_s := overall.take(_EVERYBODY, now)) > 0.0:
                per_client.refund(envelope.client, now)
                return _refuse("all clients together send faster than the overall limit", wait_s)
            return await inner(envelope)

        return admit


def _refuse(detail: str, wait_s: float) -> Refused:
    return Refused(Refusal.RATE_LIMITED, f"{detail}; again in {wait_s:.2f} s", retry_after_s=wait_s)
