"""The validate layer: what the validator refuses goes no further."""

from __future__ import annotations

from pointsman.core.validate import Validator
from pointsman.layers.admission.validate import Validate
from pointsman.model.outcome import Accepted, Refusal, Refused
from pointsman.model.settings import Settings, ValidationSettings
from pointsman.testing.make import envelope
from pointsman.testing.probe import Probe


async def test_refuses_what_the_validator_refuses_and_passes_the_rest() -> None:
    """A control character is refused before anything else sees the message; a plain text passes."""
    inner = Probe(Accepted("x"))
    admit = Validate(Validator(ValidationSettings(), Settings().classes))(inner)
    refused = await admit(envelope("ring the bell \x07"))
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.HARMFUL
    assert inner.seen == []
    good = envelope("ring the bell")
    assert await admit(good) == Accepted("x")
    assert inner.seen == [good]
