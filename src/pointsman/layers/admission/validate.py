"""Asks whether the message is one at all."""

from __future__ import annotations

from pointsman.core.validate import Validator
from pointsman.model.message import Envelope
from pointsman.model.outcome import Receipt
from pointsman.ports import Admit


class Validate:
    """Refuses what is malformed, too large or structurally hostile; fills in level, times and the text that is asked.

    Position: after Rescue, before RateLimit because a message that could never be accepted must not use up its sender's
    allowance, and because everything below relies on the fields it fills.
    """

    def __init__(self, validator: Validator) -> None:
        self._validator = validator

    def __call__(self, inner: Admit) -> Admit:
        """Wrap `inner`."""
        check = self._validator.check

        async def admit(envelope: Envelope) -> Receipt:
            refused = check(envelope, envelope.received_at)
            return await inner(envelope) if refused is None else refused

        return admit
