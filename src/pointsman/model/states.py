"""The life of a message as a transition table, and the essay that goes with it.

A message is `queued` when accepted (or `delayed`, if it must not start yet), `leased` while an attempt is out, and then
ends exactly once: `delivered`, `failed`, `dead`, `expired` or `cancelled`. A retry goes back through `delayed`, or
straight to `queued`. Ends have no way out: replay makes a new message. An illegal step raises and changes nothing.

Theory of operation after python-hyper/h11 (`h11/_state.py`): everything that affects transitions is in this table, and
the engine does not know it by heart but asks it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pointsman.model.errors import UsageError


class Status(StrEnum):
    """Where a message is in its life; the values are API."""

    QUEUED = "queued"
    DELAYED = "delayed"
    LEASED = "leased"
    DELIVERED = "delivered"
    FAILED = "failed"
    DEAD = "dead"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


ENDS: Final = frozenset({Status.DELIVERED, Status.FAILED, Status.DEAD, Status.EXPIRED, Status.CANCELLED})
"""The five ends."""

DEAD_LETTERS: Final = frozenset({Status.FAILED, Status.DEAD, Status.EXPIRED})
"""Ends that leave a dead-letter record."""

TRANSITIONS: Final[dict[Status, dict[str, Status]]] = {
    Status.QUEUED: {
        "lease": Status.LEASED,
        "expire": Status.EXPIRED,
        "cancel": Status.CANCELLED,
        "bury": Status.DEAD,
    },
    Status.DELAYED: {
        "ready": Status.QUEUED,
        "expire": Status.EXPIRED,
        "cancel": Status.CANCELLED,
        "bury": Status.DEAD,
    },
    Status.LEASED: {
        "ack": Status.DELIVERED,
        "retry": Status.DELAYED,
        "release": Status.QUEUED,
        "fail": Status.FAILED,
        "bury": Status.DEAD,
        "expire": Status.EXPIRED,
        "cancel": Status.CANCELLED,
    },
    Status.DELIVERED: {},
    Status.FAILED: {},
    Status.DEAD: {},
    Status.EXPIRED: {},
    Status.CANCELLED: {},
}
"""Every legal step: state -> event -> state. `release` returns a lease whose attempt never left the router."""


class IllegalStep(UsageError):
    """An event came in a state that does not allow it: a bug in the caller, never a user's fault."""

    code = "illegal_step"


def step(status: Status, event: str) -> Status:
    """Return the state that follows `status` when `event` happens.

    Raises:
        IllegalStep: the table has no such step; nothing has changed.
    """
    try:
        return TRANSITIONS[status][event]
    except KeyError:
        allowed = ", ".join(sorted(TRANSITIONS[status])) or "nothing: it is an end"
        raise IllegalStep(f"a message that is {status} cannot {event}; allowed: {allowed}") from None
