"""What headers may say about a message, and that they never silently win over the body."""

from __future__ import annotations

import pytest

from pointsman.http import hints
from pointsman.model.errors import RefusedError
from pointsman.model.message import LOCAL_CLIENT, Message

NAMES = {"tactical": "tactical", "fast": "tactical", "coders": "tactical", "strategic": "strategic"}


def test_no_headers_say_nothing() -> None:
    """The usual case."""
    assert hints.read({b"host": b"localhost"}) == {}
    assert hints.client({}) == LOCAL_CLIENT
    assert hints.idempotency_key({}) is None


def test_headers_are_read() -> None:
    """Each under the attribute of a message that it fills."""
    fields = {
        b"x-pointsman-class": b"fast",
        b"x-pointsman-priority": b"high",
        b"x-pointsman-ttl": b"1.5",
        b"x-pointsman-conversation": b"thread 7",
        b"x-pointsman-client": b"team-a:bot.1@x",
        b"idempotency-key": b"k 1",
    }
    assert hints.read(fields) == {
        "class_": "fast",
        "priority": "high",
        "ttl_s": 1.5,
        "conversation_id": "thread 7",
    }
    assert hints.client(fields) == "team-a:bot.1@x"
    assert hints.idempotency_key(fields) == "k 1"


@pytest.mark.parametrize("value", [b"", b"a b", b"a" * 65, b"\xc3\xa9", b"a/b", b"a\x00", b"a,b", b"\x1b[0m", b"a\n"])
def test_a_client_that_is_no_name_is_refused(value: bytes) -> None:
    """1 to 64 characters that are safe everywhere."""
    with pytest.raises(RefusedError) as caught:
        hints.client({b"x-pointsman-client": value})
    assert caught.value.refused.field == "x-pointsman-client"
    assert caught.value.refused.detail.isprintable()


@pytest.mark.parametrize("value", [b"", b"-1", b"1e9", b"NaN", b"inf", b"1,5", b" 1", b"1_0", b"0x1", b"9" * 16, b"1."])
def test_a_ttl_that_is_no_number_of_seconds_is_refused(value: bytes) -> None:
    """Only plain decimal numbers; their range is not asked here."""
    with pytest.raises(RefusedError) as caught:
        hints.read({b"x-pointsman-ttl": value})
    assert caught.value.refused.field == "x-pointsman-ttl"


@pytest.mark.parametrize("header", [b"x-pointsman-class", b"x-pointsman-priority", b"x-pointsman-conversation"])
@pytest.mark.parametrize("value", [b"", b" a", b"a\x7f", b"\xff", b"a" * 257, b"a\tb"])
def test_a_word_that_is_not_visible_is_refused(header: bytes, value: bytes) -> None:
    """Visible ASCII, at most 256 characters."""
    with pytest.raises(RefusedError) as caught:
        hints.read({header: value})
    assert caught.value.refused.field == header.decode()


@pytest.mark.parametrize("value", [b"", b"\x80", b"a" * 257])
def test_an_idempotency_key_that_is_not_visible_is_refused(value: bytes) -> None:
    """Visible ASCII, at most 256 characters."""
    with pytest.raises(RefusedError):
        hints.idempotency_key({b"idempotency-key": value})


def test_headers_fill_what_the_body_leaves_open() -> None:
    """The rest of the message stays as it was."""
    message = Message(text="a", ttl_s=5.0)
    merged = hints.merge(message, {"priority": "low", "class_": "fast", "ttl_s": 5.0}, NAMES.get)
    assert merged == Message(text="a", ttl_s=5.0, priority="low", class_="fast")
    assert hints.merge(message, {"ttl_s": 5.0}, NAMES.get) is message


@pytest.mark.parametrize(("said", "hinted"), [("tactical", "fast"), ("coders", "tactical"), ("x", "x")])
def test_two_names_of_one_class_agree(said: str, hinted: str) -> None:
    """An alias and its class are the same thing; the body's word stays."""
    merged = hints.merge(Message(text="a", class_=said), {"class_": hinted}, NAMES.get)
    assert merged.class_ == said


@pytest.mark.parametrize(
    ("message", "hinted", "field", "header"),
    [
        (Message(class_="fast"), {"class_": "strategic"}, "class", "x-pointsman-class"),
        (Message(class_="x"), {"class_": "y"}, "class", "x-pointsman-class"),
        (Message(priority="low"), {"priority": "high"}, "priority", "x-pointsman-priority"),
        (Message(ttl_s=5.0), {"ttl_s": 5.1}, "ttl_s", "x-pointsman-ttl"),
        (Message(conversation_id="a"), {"conversation_id": "b"}, "conversation_id", "x-pointsman-conversation"),
    ],
)
def test_a_contradiction_is_refused_naming_both(
    message: Message, hinted: dict[str, object], field: str, header: str
) -> None:
    """Neither wins: the sender must say which one is meant."""
    with pytest.raises(RefusedError) as caught:
        hints.merge(message, hinted, NAMES.get)
    assert caught.value.refused.field == field
    assert header in caught.value.refused.detail
    assert repr(next(iter(hinted.values()))) in caught.value.refused.detail
