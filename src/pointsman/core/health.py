"""What an outcome says about the worker, as opposed to the message or us.

Cancellations, the message's own fault, a busy worker and our own refusals say nothing about health; a busy answer feeds
the worker's limit instead. Rules after resilience4j and Finagle's response classification.
"""

from __future__ import annotations

from typing import Final

from pointsman.model.outcome import Delivered, Failed, Failure, Outcome

WORKER_FAULTS: Final = frozenset(
    {
        Failure.WORKER_ERROR,
        Failure.WORKER_UNREACHABLE,
        Failure.WORKER_CLOSED,
        Failure.WORKER_TIMEOUT,
        Failure.WORKER_GARBAGE,
    }
)
"""Failures that count against the worker."""


def verdict(outcome: Outcome) -> bool | None:
    """Return True for a worker that did well, False for one that failed, None where the outcome says nothing."""
    if type(outcome) is Delivered:
        return True
    if type(outcome) is Failed and outcome.reason in WORKER_FAULTS:
        return False
    return None
