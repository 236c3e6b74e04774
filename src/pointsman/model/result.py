"""What a sender learns in the end: how its message ended, and the reply where there is one."""

from __future__ import annotations

import msgspec

from pointsman.model.errors import DeliveryError
from pointsman.model.outcome import Cause, Reply
from pointsman.model.states import ENDS, Status
from pointsman.model.usage import Usage


class Result(msgspec.Struct, frozen=True, gc=False, rename={"message_class": "class"}):
    """State of a message as its sender sees it.

    Attributes:
        id: the message's id.
        status: one of the five ends; or `queued`, `delayed`, `leased` where the sender did not wait for the end.
        reply: the worker's answer, where there is one. A failed message may carry the worker's own error body.
        message_class: the class it was given.
        pool: the pool that served it, or that it waits in.
        worker: the worker that served it last, or an empty string.
        fallback: it was served by another pool than its class's own.
        attempts: hand-outs so far.
        overhead_s: seconds the router itself added.
        cause: why it ended otherwise than delivered.
        detail: the same in words.
        usage: tokens that all attempts took, where known or estimated.
        cost: what they cost; None where nothing has a price.
    """

    id: str
    status: Status
    reply: Reply | None = None
    message_class: str = ""
    pool: str = ""
    worker: str = ""
    fallback: bool = False
    attempts: int = 0
    overhead_s: float = 0.0
    cause: Cause | None = None
    detail: str = ""
    usage: Usage | None = None
    cost: float | None = None

    @property
    def delivered(self) -> bool:
        """Whether a worker answered."""
        return self.status is Status.DELIVERED

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in ENDS

    @property
    def text(self) -> str:
        """The reply as text.

        Raises:
            DeliveryError: the message was not delivered.
        """
        if self.reply is None or not self.delivered:
            raise DeliveryError(self.id, self.status, self.detail or "there is no reply")
        return self.reply.text
