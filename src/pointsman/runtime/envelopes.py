"""Makes an envelope around a message: its id, its time of arrival and its trace id. Nothing is decided here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pointsman.core.ids import IdSource
from pointsman.model.errors import UsageError
from pointsman.model.message import LOCAL_CLIENT, Envelope, Message
from pointsman.ports import Clock

if TYPE_CHECKING:
    import random


class Envelopes:
    """Source of envelopes for one router.

    Args:
        clock: time of arrival.
        ids: message ids.
        rng: trace ids.
    """

    def __init__(self, clock: Clock, ids: IdSource, rng: random.Random) -> None:
        self._clock = clock
        self._ids = ids
        self._rng = rng

    def new_id(self) -> str:
        """Return a fresh id, for a request that never became a message."""
        return self._ids.new(self._clock.wall())

    def wrap(
        self,
        message: Message,
        *,
        client: str = LOCAL_CLIENT,
        protocol: str = "native",
        body: bytes | None = None,
        idempotency_key: str | None = None,
        trace_id: str = "",
        replay_of: str | None = None,
        key_id: str = "",
        group: str = "",
        credential: tuple[str, str] | None = None,
    ) -> Envelope:
        """Return a fresh envelope; an empty `trace_id` begins a trace of our own."""
        wall = self._clock.wall()
        return Envelope(
            id=self._ids.new(wall),
            message=message,
            client=client,
            received_at=self._clock.monotonic(),
            received_wall=wall,
            protocol=protocol,
            body=body,
            idempotency_key=idempotency_key,
            trace_id=trace_id or f"{self._rng.getrandbits(128):032x}",
            size_bytes=len(body) if body is not None else 0,
            replay_of=replay_of,
            key_id=key_id,
            group=group,
            credential=credential,
        )

    def again(self, old: Envelope) -> Envelope:
        """Return a fresh envelope for the message of an old one, with all that its sender had said."""
        envelope = self.wrap(
            old.message,
            client=old.client,
            protocol=old.protocol,
            body=old.body,
            replay_of=old.id,
            key_id=old.key_id,
            group=old.group,
            credential=old.credential,
        )
        envelope.endpoint = old.endpoint
        envelope.headers = old.headers
        envelope.model = old.model
        envelope.max_output_tokens = old.max_output_tokens
        envelope.size_bytes = old.size_bytes
        return envelope


def message_of(text: str, fields: dict[str, Any]) -> Message:
    """Return the message of a text and fields as a program names them. Raises UsageError for an unknown field."""
    if "class" in fields:
        fields["class_"] = fields.pop("class")
    try:
        return Message(text=text, **fields)
    except TypeError as error:
        known = ", ".join(sorted(Message.__struct_fields__))
        raise UsageError(f"{error}; a message has the fields {known}") from None
