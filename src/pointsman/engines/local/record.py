"""One live message as the local engine holds it, and the view of it that others get."""

from __future__ import annotations

from dataclasses import dataclass

from pointsman.core.schedule import Ticket
from pointsman.model.message import PRIORITIES, Envelope
from pointsman.model.outcome import Cause
from pointsman.model.states import Status
from pointsman.model.views import MessageView


@dataclass(slots=True, eq=False)
class Record:
    """A message that has not ended.

    Attributes:
        envelope: the message.
        ticket: its place in the scheduler; a fresh one each time it becomes ready, None before that.
        status: `queued`, `delayed` or `leased`.
        fence: token of the latest lease; every older lease is refused.
        due: monotonic seconds: when a delayed message becomes ready, or when a lease runs out.
        size_bytes: what it is counted with against `max_queued_bytes`.
    """

    envelope: Envelope
    ticket: Ticket | None
    status: Status
    fence: int
    due: float
    size_bytes: int


def view(
    envelope: Envelope,
    status: Status,
    *,
    cause: Cause | None = None,
    detail: str = "",
    ended: float | None = None,
) -> MessageView:
    """Return what may be told about a message; its text stays out. `ended` in Unix seconds."""
    classification = envelope.classification
    return MessageView(
        id=envelope.id,
        client=envelope.client,
        status=status,
        queue=envelope.pool,
        message_class=classification.message_class if classification else "",
        priority=PRIORITIES[envelope.level],
        attempts=envelope.attempt,
        created=envelope.received_wall,
        conversation_id=envelope.message.conversation_id,
        cause=cause.value if cause else None,
        detail=detail,
        ended=ended,
    )


def size_of(envelope: Envelope) -> int:
    """Return the bytes a message is counted with: its size on the wire, or about that of what it holds."""
    if envelope.size_bytes:
        return envelope.size_bytes
    message = envelope.message
    if message.messages is None and not message.metadata and not message.params:
        return len(envelope.ask)
    return len(envelope.ask) + len(repr((message.messages, message.metadata, message.params)))
