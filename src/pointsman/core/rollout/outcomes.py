"""Which events of the candidate's lane the guard counts, and as what.

Bad is what the candidate did wrong: a message that ended dead, expired or failed by anything but its own fault, one
that was refused because this router could not take it, one that was taken back as no worker could be called, and one
that the legacy had to answer in its place. Not counted:
what the sender did (cancelled, refused for what it is, over its limits), and a router that is stopping, whose
restart says nothing of the candidate.

A message that falls back to the legacy has mostly been counted already, by the refusal or the end that made it fall
back; it must not count twice.
"""

from __future__ import annotations

from typing import Final

from pointsman.core.rollout.guard import Seen
from pointsman.model.events import Ended, Event, FellBackToLegacy, MessageRefused
from pointsman.model.outcome import Cause, Failure, Refusal
from pointsman.model.rollout import Lane
from pointsman.model.states import Status

OWN_FAULT: Final = frozenset({Refusal.UNAVAILABLE, Refusal.NO_WORKER, Refusal.OVERLOADED, Refusal.QUEUE_FULL})
"""Refusals that are this router's doing."""

_COUNTED_BEFORE: Final = frozenset(
    {*(reason.value for reason in OWN_FAULT), *map(str, Failure), *map(str, Cause), *map(str, Status), Refusal.DRAINING}
)
"""Reasons of a fallback whose message was counted when it was refused or ended, or is not counted at all."""

_BAD: Final = frozenset({Status.FAILED, Status.DEAD, Status.EXPIRED})


def seen(event: Event) -> Seen | None:
    """Return what the guard is told of an event, or None where it is told nothing."""
    match event:
        case Ended(envelope=envelope) if envelope.lane == Lane.CANDIDATE:
            if event.status is Status.DELIVERED:
                return Seen(envelope.client, False, event.overhead_s)
            if event.status in _BAD and event.cause is not Cause.MESSAGE_FAULT:
                return Seen(envelope.client, True, event.overhead_s)
            if event.cause is Cause.STRANDED:
                return Seen(envelope.client, True)
        case MessageRefused(envelope=envelope, refused=refused):
            if envelope.lane == Lane.CANDIDATE and refused.reason in OWN_FAULT:
                return Seen(envelope.client, True)
        case FellBackToLegacy() if event.reason not in _COUNTED_BEFORE:
            return Seen(event.client, True)
    return None
