"""Messages on the wire: names, unknown fields, and that nothing a sender wrote ever changes."""

from __future__ import annotations

import msgspec
import pytest

from pointsman.model.message import LEVELS, PRIORITIES, REDELIVER, Envelope, Message


def test_levels_are_the_places_of_the_names() -> None:
    """Critical is 0 and served first; bulk is last."""
    assert {name: PRIORITIES[level] for name, level in LEVELS.items()} == {name: name for name in PRIORITIES}
    assert (LEVELS["critical"], LEVELS["bulk"], len(LEVELS)) == (0, 4, 5)
    assert REDELIVER == ("always", "unsent", "never")


def test_class_is_called_class_on_the_wire() -> None:
    """And `class_` only where Python needs it; there it is an unknown field."""
    assert msgspec.json.decode(b'{"text": "x", "class": "tactical"}', type=Message).class_ == "tactical"
    assert b'"class":"tactical"' in msgspec.json.encode(Message(text="x", class_="tactical"))
    with pytest.raises(msgspec.ValidationError, match="class_"):
        msgspec.json.decode(b'{"text": "x", "class_": "tactical"}', type=Message)


def test_an_unknown_field_is_refused_by_name() -> None:
    """A misspelt field must not be ignored in silence."""
    with pytest.raises(msgspec.ValidationError, match="priorty"):
        msgspec.json.decode(b'{"text": "x", "priorty": "high"}', type=Message)


def test_a_message_says_little_by_itself() -> None:
    """Only the text is needed: the sender waits, and everything else is left to settings."""
    message = Message(text="x")
    unset = {name for name in Message.__struct_fields__ if getattr(message, name) is None}
    assert unset == {
        *("messages", "class_", "priority", "ttl_s", "timeout_s", "conversation_id", "wait_s", "redeliver"),
        *("not_before", "delay_s", "callback_url", "on_disconnect"),
    }
    assert (message.wait, message.stream, message.durable, message.strict) == (True, False, False, False)
    assert (message.metadata, message.params) == ({}, {})


def test_what_a_sender_wrote_never_changes() -> None:
    """Messages are frozen, and two of them share no dict."""
    message = Message(text="x")
    with pytest.raises(AttributeError):
        message.text = "y"  # type: ignore[misc]
    assert message.metadata is not Message(text="x").metadata


def test_envelopes_share_nothing() -> None:
    """Each has a trail of its own, and is equal to itself alone."""
    one, two = (Envelope("i", Message(text="x"), "c", 0.0, 0.0) for _ in range(2))
    assert one.trail is not two.trail
    assert one != two
    assert (one.attempt, one.tries, one.max_attempts, one.redeliver) == (0, 0, 3, "always")
