"""What may be told of a message, and what it is counted with."""

from __future__ import annotations

import msgspec

from pointsman.engines.local.record import size_of, view
from pointsman.model.outcome import Cause
from pointsman.model.states import Status
from pointsman.testing.make import envelope


def test_a_view_says_everything_but_the_text() -> None:
    """Where it is and why, for people: Unix seconds, names instead of numbers, and not a word of the message."""
    of = envelope("a secret", client="x", priority="high", conversation_id="talk", metadata={"a": "a secret"})
    of.attempt = 3
    seen = view(of, Status.DEAD, cause=Cause.ATTEMPTS_USED_UP, detail="used up", ended=1_700_000_009.0)
    assert msgspec.to_builtins(seen) == {
        "id": of.id,
        "client": "x",
        "status": "dead",
        "queue": "coders",
        "class": "tactical",
        "priority": "high",
        "attempts": 3,
        "created": 1_700_000_000.0,
        "conversation_id": "talk",
        "cause": "attempts_used_up",
        "detail": "used up",
        "ended": 1_700_000_009.0,
    }


def test_a_view_of_a_message_without_a_class_is_possible() -> None:
    """A message that was never classified has an empty class, no cause and no end."""
    of = envelope()
    of.classification = None
    seen = view(of, Status.QUEUED)
    assert (seen.message_class, seen.cause, seen.ended) == ("", None, None)


def test_a_message_is_counted_with_its_size_on_the_wire() -> None:
    """Whoever measured it knows best."""
    of = envelope("x" * 100)
    of.size_bytes = 7
    assert size_of(of) == 7


def test_a_plain_text_is_counted_with_its_length() -> None:
    """Where nobody measured, the text is what there is."""
    assert size_of(envelope("x" * 100)) == 100


def test_a_long_history_is_counted_though_only_its_end_is_asked() -> None:
    """Chat lists, metadata and parameters are held in memory as well, and must not slip past the bound."""
    history = [{"role": "user", "content": "y" * 5000}, {"role": "user", "content": "x"}]
    of = envelope(None, messages=history)  # type: ignore[arg-type]
    of.ask = "x"
    assert size_of(of) > 5000
    assert size_of(envelope("x", metadata={"k": "z" * 900})) > 900
    assert size_of(envelope("x", params={"k": "z" * 900})) > 900
