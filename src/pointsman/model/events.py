"""What happened, past tense: emitted once each, read by metrics, decision records, the live view and simulations.

Events carry references and numbers, never a message's text. `at` is monotonic seconds.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from pointsman.model.keys import KeyFault
from pointsman.model.message import Envelope
from pointsman.model.outcome import Cause, Outcome, Refused
from pointsman.model.rollout import State
from pointsman.model.states import Status
from pointsman.model.usage import Usage


class MessageRefused(msgspec.Struct, frozen=True, gc=False):
    """A message was refused at admission."""

    at: float
    envelope: Envelope
    refused: Refused


class Admitted(msgspec.Struct, frozen=True, gc=False):
    """A message was accepted and queued.

    Attributes:
        admission_s: seconds from receipt to acceptance.
        classify_s: seconds of that spent in the classifier.
    """

    at: float
    envelope: Envelope
    admission_s: float
    classify_s: float


class AttemptStarted(msgspec.Struct, frozen=True, gc=False):
    """A message was handed out; the worker is not chosen yet."""

    at: float
    envelope: Envelope
    pool: str


class AttemptEnded(msgspec.Struct, frozen=True, gc=False):
    """A hand-out came to its outcome.

    Attributes:
        worker: id of the worker, or an empty string.
        took_s: seconds between hand-out and outcome.
        worker_s: seconds of that spent in the worker.
        outcome: None where the attempt was cancelled.
        usage: tokens it took, where known or estimated.
        cost: what they cost; None where there is no price.
    """

    at: float
    envelope: Envelope
    pool: str
    worker: str
    took_s: float
    worker_s: float
    outcome: Outcome | None
    usage: Usage | None = None
    cost: float | None = None


class Ended(msgspec.Struct, frozen=True, gc=False):
    """A message reached one of its five ends. Emitted exactly once for each admitted message.

    Attributes:
        overhead_s: seconds the router itself added: neither in a worker nor in wait for a free one.
        total_s: seconds from receipt to end.
    """

    at: float
    envelope: Envelope
    status: Status
    cause: Cause | None
    detail: str
    overhead_s: float
    total_s: float


class BreakerMoved(msgspec.Struct, frozen=True, gc=False):
    """A worker's circuit breaker changed its state."""

    at: float
    pool: str
    worker: str
    was: str
    now: str


class WorkerJoined(msgspec.Struct, frozen=True, gc=False):
    """A worker joined a pool."""

    at: float
    pool: str
    worker: str


class WorkerLeft(msgspec.Struct, frozen=True, gc=False):
    """A worker left its pool; what it has in hand goes on."""

    at: float
    pool: str
    worker: str


class AccessDenied(msgspec.Struct, frozen=True, gc=False):
    """A request was not let in, as it came without an API key that counts."""

    at: float
    fault: KeyFault


class LegacyAnswered(msgspec.Struct, frozen=True, gc=False):
    """The old router answered a message of its own lane.

    Attributes:
        client: who had sent it.
        took_s: seconds from receipt to the last byte.
        ok: it answered, and with no 5xx of its own.
    """

    at: float
    client: str
    took_s: float
    ok: bool


class FellBackToLegacy(msgspec.Struct, frozen=True, gc=False):
    """A message of the candidate's lane was answered by the old router, as this one failed before a worker saw it.

    Attributes:
        client: who had sent it.
        reason: code of the refusal or failure.
    """

    at: float
    client: str
    reason: str


class Mirrored(msgspec.Struct, frozen=True, gc=False):
    """A message was sampled for the shadow.

    Attributes:
        outcome: `compared`, `dropped` or `timed_out`.
        kind: one of `DIFFERENCES` of a compared one, of `SHADOW_DROPS` of a dropped one, else empty.
    """

    at: float
    outcome: str
    kind: str


class RolloutMoved(msgspec.Struct, frozen=True, gc=False):
    """A rollout took a step.

    Attributes:
        event: the verb, or `trip`.
        stage: afterwards.
        share: of keys that the candidate answers afterwards, 0..1.
        actor: who did it: `guard`, `kill_file`, `environment`, or a person.
    """

    at: float
    event: str
    was: State
    now: State
    stage: str
    share: float
    actor: str


class HealthChecked(msgspec.Struct, frozen=True, gc=False):
    """A component was looked at deeply.

    Attributes:
        status: `pass`, `warn` or `fail`.
        took_s: seconds.
    """

    at: float
    component: str
    status: str
    took_s: float


class SecurityIncident(msgspec.Struct, frozen=True, gc=False):
    """What must never happen has happened; `kind` is one of `model.rollout.INCIDENTS`."""

    at: float
    kind: str


class RequestFaulted(msgspec.Struct, frozen=True, gc=False):
    """A request was answered 500, or broken off, by a bug of ours; the log has its traceback."""

    at: float


Event = (
    MessageRefused
    | Admitted
    | AttemptStarted
    | AttemptEnded
    | Ended
    | BreakerMoved
    | WorkerJoined
    | WorkerLeft
    | AccessDenied
    | LegacyAnswered
    | FellBackToLegacy
    | Mirrored
    | RolloutMoved
    | HealthChecked
    | SecurityIncident
    | RequestFaulted
)

Emit = Callable[[Event], None]
"""Takes an event; must neither block nor raise."""
