"""What an engine tells of the messages it holds and has held: plain data, without their text but for dead letters."""

from __future__ import annotations

import msgspec

from pointsman.model.message import Envelope
from pointsman.model.outcome import Cause
from pointsman.model.states import Status


class MessageView(msgspec.Struct, frozen=True, gc=False, rename={"message_class": "class"}):
    """What the engine knows of a message, without its text. `created` and `ended` are Unix seconds."""

    id: str
    client: str
    status: Status
    queue: str
    message_class: str
    priority: str
    attempts: int
    created: float
    conversation_id: str | None
    cause: str | None = None
    detail: str = ""
    ended: float | None = None


class EndedMessage(msgspec.Struct, frozen=True):
    """A message that ended without its delivery: expired, cancelled, purged or buried while it waited."""

    envelope: Envelope
    status: Status
    cause: Cause
    detail: str


class Counts(msgspec.Struct, frozen=True):
    """The accounting identity: admitted = delivered + failed + dead + expired + cancelled + waiting + in_flight."""

    admitted: int
    delivered: int
    failed: int
    dead: int
    expired: int
    cancelled: int
    waiting: int
    in_flight: int


class QueueView(msgspec.Struct, frozen=True):
    """State of one queue: depth by level, the oldest age in seconds, and whether it is paused."""

    name: str
    queued: tuple[int, int, int, int, int]
    delayed: int
    in_flight: int
    oldest_s: float
    paused: bool


class DeadLetter(msgspec.Struct, frozen=True):
    """A message that ended failed, dead or expired, kept for inspection and replay."""

    envelope: Envelope
    status: Status
    cause: Cause
    detail: str
    ended: float
