"""Stops a client that sends the same thing over and over."""

from __future__ import annotations

from pointsman.core.flood import FloodDetector, fingerprint
from pointsman.model.message import Envelope
from pointsman.model.outcome import Receipt, Refusal, Refused
from pointsman.ports import Admit


class FloodGuard:
    """Refuses with `flooding` once too many identical messages of one client came too fast. Never permanent.

    Position: after RateLimit because counting copies costs more than a token, before Classify because a copy need not
    be classified again to be refused.
    """

    def __init__(self, detector: FloodDetector) -> None:
        self._detector = detector

    def __call__(self, inner: Admit) -> Admit:
        """Wrap `inner`."""
        check = self._detector.check

        async def admit(envelope: Envelope) -> Receipt:
            wait_s = check(envelope.client, fingerprint(content(envelope)), envelope.received_at)
            if wait_s > 0.0:
                detail = (
                    f"client {envelope.client!r} sent the same message too often; a copy is taken again in"
                    f" {wait_s:.1f} s, other messages at once"
                )
                return Refused(Refusal.FLOODING, detail, retry_after_s=wait_s)
            return await inner(envelope)

        return admit


def content(envelope: Envelope) -> str | bytes:
    """Return what makes two messages the same: conversation and the whole content, not the newest turn alone.

    Of a body that passes as it is, that is the body: conversations of the compatible APIs differ by their words.
    """
    message = envelope.message
    if envelope.body is not None:
        return envelope.body
    if message.messages is None and message.conversation_id is None:
        return envelope.ask if message.text is None else message.text
    turns = message.text if message.messages is None else repr(message.messages)
    return f"{message.conversation_id}\n{turns}"
