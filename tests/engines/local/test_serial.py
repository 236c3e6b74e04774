"""Serial keys: who has the turn, who is held back, and what is known of both. Their promises are in the suite."""

from __future__ import annotations

from pointsman.engines.local.queue import ticket_for
from pointsman.engines.local.record import Record
from pointsman.engines.local.serial import SerialKeys
from pointsman.model.states import Status
from pointsman.testing.make import envelope

AT = 1000.0


def record(number: int, key: str = "k", **fields: object) -> Record:
    """Return a record of a message with a key."""
    message = envelope(at=AT, id=f"{number:032x}", **fields)  # type: ignore[arg-type]
    message.serial_key = key
    return Record(message, None, Status.QUEUED, 0, 0.0, 5)


def enter(keys: SerialKeys, one: Record, at: float = AT) -> bool:
    """Let a record come; whether it was let through."""
    if keys.admits(one):
        return True
    keys.hold(one, ticket_for(one, at))
    return False


def test_the_first_of_a_key_has_the_turn_until_it_ends() -> None:
    """It may come again as often as it likes; the others follow in the order in which they came."""
    keys = SerialKeys()
    first, second, third, other = record(1), record(2), record(3), record(4, "j")
    assert [enter(keys, one) for one in (first, second, third, other, first)] == [True, False, False, True, True]
    assert keys.ended(first) is second
    assert keys.admits(second)
    assert keys.ended(second) is third
    assert keys.ended(third) is None
    assert enter(keys, record(5))
    assert (len(keys), keys._lines, keys._held) == (0, {}, {})


def test_one_that_ends_while_it_is_held_back_frees_nobody() -> None:
    """And leaves nothing in the wheel."""
    keys = SerialKeys()
    first, second, third = record(1), record(2), record(3)
    for one in (first, second, third):
        enter(keys, one)
    assert keys.ended(second) is None
    assert keys.expire(AT + 10_000.0) == [third]
    assert keys.ended(third) is None
    assert keys.ended(first) is None
    assert (keys._turns, keys.next_expiry()) == ({}, None)


def test_one_that_never_came_ends_without_a_trace() -> None:
    """A message that was delayed from the first has no place in the line of its key."""
    keys = SerialKeys()
    first = record(1)
    enter(keys, first)
    assert keys.ended(record(2)) is None
    assert keys.ended(record(3, "j")) is None
    assert keys.admits(first)


def test_what_is_held_back_is_known_by_level_and_age() -> None:
    """Until it has the turn, expires or is drained."""
    keys = SerialKeys()
    enter(keys, record(1))
    enter(keys, record(2, priority="high"), AT + 1.0)
    enter(keys, record(3, priority="bulk", ttl_s=5.0), AT + 2.0)
    assert (keys.depths, keys.oldest(AT + 4.0), len(keys)) == ([0, 1, 0, 0, 1], 3.0, 2)
    due = keys.next_expiry()
    assert due is not None
    assert AT + 5.0 <= due <= AT + 5.1
    assert [one.envelope.id for one in keys.expire(due)] == [f"{3:032x}"]
    assert (keys.depths, len(keys)) == ([0, 1, 0, 0, 0], 1)
    assert [one.envelope.id for one in keys.drain()] == [f"{2:032x}"]
    assert (keys.depths, keys.oldest(AT + 4.0), keys.next_expiry()) == ([0, 0, 0, 0, 0], 0.0, None)
    assert not enter(keys, record(4)), "who has the turn keeps it"
