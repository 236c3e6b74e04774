"""Live messages: every step of a life is taken in one place, counted once, and an illegal one changes nothing."""

from __future__ import annotations

import pytest

from pointsman.engines.local.archive import Archive
from pointsman.engines.local.messages import CANCELLED, Messages
from pointsman.engines.local.queue import Queue
from pointsman.engines.local.record import Record
from pointsman.model.outcome import Cause
from pointsman.model.states import IllegalStep, Status
from pointsman.ports import Lease
from pointsman.testing.make import envelope

AT = 1000.0
WALL = 1_700_000_000.0


class Desk:
    """Messages with one queue."""

    def __init__(self) -> None:
        self.archive = Archive(10, 10, 1000)
        self.released: list[str] = []
        self.messages = Messages(self.archive, 30.0, self.released.append)
        self.queue = Queue("coders")

    def take(self, *, delay_s: float = 0.0, key: str = "") -> Record:
        """Accept a message of 5 bytes."""
        message = envelope(at=AT, id=f"{len(self.messages.records):032x}")
        message.serial_key = key
        record = Record(message, None, Status.QUEUED, 0, 0.0, 5)
        self.messages.take(record, self.queue, AT, delay_s)
        return record

    def out(self) -> tuple[Record, Lease]:
        """Accept a message and hand it out."""
        record = self.take()
        assert self.queue.ready.pop(AT) is record.ticket
        return record, self.messages.hand_out(record, self.queue, AT)


def test_a_hand_out_is_counted_in_the_queue_and_ends_with_the_attempt() -> None:
    """In flight while it is out; waiting again after a retry; gone once delivered."""
    desk = Desk()
    record, lease = desk.out()
    assert (lease.attempt, lease.fence, record.due) == (1, record.fence, AT + 30.0)
    assert (desk.messages.waiting, desk.queue.in_flight, len(desk.messages.leases)) == (0, 1, 1)
    desk.messages.retry(record, desk.queue, AT, 5.0)
    assert (desk.messages.waiting, desk.queue.in_flight, record.status) == (1, 0, Status.DELAYED)
    desk.queue.due(AT + 5.0)
    desk.messages.ready(record, desk.queue, AT + 5.0)
    assert desk.queue.ready.pop(AT + 5.0) is record.ticket
    desk.messages.hand_out(record, desk.queue, AT + 5.0)
    desk.messages.deliver(record, desk.queue, WALL)
    assert (desk.messages.waiting, desk.queue.in_flight, desk.messages.held_bytes) == (0, 0, 0)
    assert desk.messages.counts().delivered == 1


@pytest.mark.parametrize("cause", sorted(CANCELLED))
def test_a_cancelled_message_leaves_a_view_with_the_reason_and_no_letter(cause: Cause) -> None:
    """Each cause has words of its own."""
    desk = Desk()
    record = desk.take(delay_s=60.0)
    ended = desk.messages.cancel(record, desk.queue, WALL, cause)
    assert (ended.status, ended.cause, ended.detail) == (Status.CANCELLED, cause, CANCELLED[cause])
    assert desk.queue.delayed() == []
    view = desk.archive.view(record.envelope.id)
    assert view is not None
    assert (view.cause, view.detail, view.ended) == (cause, CANCELLED[cause], WALL)
    assert desk.archive.letters(9) == []


def test_a_bad_end_leaves_a_letter() -> None:
    """With the message, its cause and the instant."""
    desk = Desk()
    record, _ = desk.out()
    desk.messages.end(record, desk.queue, WALL, "bury", Cause.OUTCOME_UNKNOWN, "who knows")
    letter = desk.archive.letter(record.envelope.id)
    assert letter is not None
    assert (letter.envelope, letter.status, letter.cause) == (record.envelope, Status.DEAD, Cause.OUTCOME_UNKNOWN)
    assert (letter.detail, letter.ended) == ("who knows", WALL)


def test_an_illegal_step_changes_nothing() -> None:
    """A message that waits cannot be delivered, and one that is out cannot be handed out again."""
    desk = Desk()
    waiting = desk.take()
    with pytest.raises(IllegalStep):
        desk.messages.deliver(waiting, desk.queue, WALL)
    with pytest.raises(IllegalStep):
        desk.messages.retry(waiting, desk.queue, AT, 1.0)
    assert (waiting.status, desk.messages.counts().delivered, desk.messages.waiting) == (Status.QUEUED, 0, 1)
    desk = Desk()
    record, lease = desk.out()
    with pytest.raises(IllegalStep):
        desk.messages.hand_out(record, desk.queue, AT)
    assert desk.messages.leases.holder(lease) is record
    assert desk.queue.in_flight == 1


def test_a_lost_lease_is_replaced_under_the_same_attempt() -> None:
    """The attempt keeps its number; only the fence is new."""
    desk = Desk()
    record, old = desk.out()
    fresh = desk.messages.fence_anew(record, AT + 31.0)
    assert (fresh.attempt, fresh.envelope) == (old.attempt, old.envelope)
    assert fresh.fence > old.fence
    assert (record.due, desk.queue.in_flight) == (AT + 61.0, 1)


def test_the_end_of_a_message_frees_the_next_of_its_key_and_says_so() -> None:
    """However it ends; a message without a key frees nobody, and nobody is told."""
    desk = Desk()
    desk.messages.cancel(desk.out()[0], desk.queue, WALL, Cause.SENDER)
    assert desk.released == []
    first, second, third = (desk.take(key="k") for _ in range(3))
    assert (len(desk.queue.ready), desk.messages.waiting, second.envelope.waited) == (1, 3, True)
    desk.queue.ready.pop(AT)
    desk.messages.hand_out(first, desk.queue, AT)
    desk.messages.retry(first, desk.queue, AT, 5.0)
    assert (len(desk.queue.ready), desk.released) == (0, [])
    desk.messages.cancel(first, desk.queue, WALL, Cause.SENDER)
    assert (desk.queue.ready.pop(AT), desk.released) == (second.ticket, ["coders"])
    desk.messages.hand_out(second, desk.queue, AT)
    desk.messages.deliver(second, desk.queue, WALL)
    assert (desk.queue.ready.pop(AT), desk.released) == (third.ticket, ["coders", "coders"])
