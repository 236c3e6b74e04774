"""Receipts, outcomes, settlements: values that travel, compare and say what may be tried again."""

from __future__ import annotations

import msgspec
import pytest

from pointsman.model.outcome import (
    RETRYABLE_REFUSALS,
    Accepted,
    Ack,
    Cause,
    Dead,
    Delivered,
    Expire,
    Expired,
    Fail,
    Failed,
    Failure,
    Outcome,
    Receipt,
    Refusal,
    Refused,
    Reply,
    RetryIn,
    Settlement,
)

FINAL = {
    Refusal.INVALID,
    Refusal.TOO_LARGE,
    Refusal.HARMFUL,
    Refusal.UNKNOWN_CLASS,
    Refusal.WRONG_PROTOCOL,
    Refusal.NOT_STORED,
    Refusal.UNAUTHORIZED,
    Refusal.FORBIDDEN,
}


def test_each_refusal_says_whether_to_come_again() -> None:
    """A new member of the enum must be put on one side; sending a bad message again makes it no better."""
    assert set(Refusal) == FINAL | RETRYABLE_REFUSALS
    assert not FINAL & RETRYABLE_REFUSALS
    for reason in Refusal:
        assert Refused(reason, "x").retryable is (reason in RETRYABLE_REFUSALS)


@pytest.mark.parametrize("enum", [Refusal, Failure, Cause])
def test_reasons_are_written_as_their_names(enum: type[Refusal | Failure | Cause]) -> None:
    """Lower case with underscores: they are API and metric labels."""
    assert [member.value for member in enum] == [member.name.lower() for member in enum]


@pytest.mark.parametrize(
    ("values", "union"),
    [
        ([Accepted("a", duplicate=True), Refused(Refusal.INVALID, "x", 1.5, "f", "c")], Receipt),
        ([Delivered("w"), Failed(Failure.WORKER_BUSY, "x", "w", 2.0, True, True, 503), Expired()], Outcome),
        ([Ack(), RetryIn(1.0), Fail("x"), Dead(Cause.TTL, "x"), Expire()], Settlement),
    ],
)
def test_values_travel_unchanged(values: list[object], union: type) -> None:
    """Written down and read again each is the same, and the kinds are not mixed up."""
    for value in values:
        again: object = msgspec.json.decode(msgspec.json.encode(value), type=union)
        assert (again, type(again)) == (value, type(value))


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (Reply(value={"text": "hello"}), "hello"),
        (Reply(value={"text": 7}), "{'text': 7}"),
        (Reply(value=["a"]), "['a']"),
        (Reply(value=0), "0"),
        (Reply(value=""), ""),
        (Reply(), ""),
        (Reply(body="größe".encode()), "größe"),
        (Reply(body=b"\xff!"), "\ufffd!"),
        (Reply(value={"text": "value"}, body=b"body"), "value"),
    ],
)
def test_every_reply_can_be_read_as_text(reply: Reply, text: str) -> None:
    """The worker's `text` where there is one; bytes are read as UTF-8; nothing raises."""
    assert reply.text == text
