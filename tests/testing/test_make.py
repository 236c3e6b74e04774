"""Made envelopes and attempts: as the parts before the one under test would leave them."""

from __future__ import annotations

import pytest

from pointsman.core.validate import Validator
from pointsman.model.settings import Settings
from pointsman.testing.make import attempt, envelope


def test_an_envelope_is_what_admission_would_have_made() -> None:
    """Validated anew, none of the fields that validation fills in changes."""
    made = envelope("hello", at=50.0, priority="high", ttl_s=9.0, conversation_id="talk", strict=True)
    filled = ("ask", "level", "ttl_s", "expires_at", "stored", "timeout_s")
    before = {name: getattr(made, name) for name in filled}
    settings = Settings()
    assert Validator(settings.validation, settings.classes).check(made, made.received_at) is None
    assert {name: getattr(made, name) for name in filled} == before


def test_the_fields_of_the_message_are_the_callers() -> None:
    """Client and id are the envelope's; an unknown field is an error."""
    made = envelope("x", client="c", id="f" * 32, pool="planners", metadata={"k": 1})
    assert (made.client, made.id, made.pool, made.message.metadata) == ("c", "f" * 32, "planners", {"k": 1})
    with pytest.raises(TypeError):
        envelope("x", colour="red")


def test_attempts_of_one_message_are_numbered() -> None:
    """As the engine would: each hand-out is one more, with a lease of its own."""
    of = envelope()
    first, second = attempt(of), attempt(of, at=1005.0, timeout_s=7.0, pool="planners")
    assert (first.lease.attempt, second.lease.attempt, of.attempt) == (1, 2, 2)
    assert first.lease.fence != second.lease.fence
    assert (second.pool, second.lease.source, second.started_at, second.timeout_s) == (
        "planners",
        "coders",
        1005.0,
        7.0,
    )
    assert first.reply is not second.reply


def test_an_attempt_without_a_message_makes_one() -> None:
    """Received when the attempt began."""
    out = attempt(at=7.0, pool="planners")
    assert (out.envelope.received_at, out.envelope.pool, out.lease.source) == (7.0, "planners", "planners")
