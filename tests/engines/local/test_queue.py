"""One queue: the order of what is ready, the times of what is delayed, and what is told of both."""

from __future__ import annotations

from pointsman.engines.local.queue import Queue, ticket_for
from pointsman.engines.local.record import Record
from pointsman.model.states import Status
from pointsman.testing.make import envelope

AT = 1000.0


def record(number: int, *, level: str = "normal", ttl_s: float = 300.0, client: str = "c") -> Record:
    """Return a record of a message received at `AT`."""
    message = envelope(at=AT, id=f"{number:032x}", priority=level, ttl_s=ttl_s, client=client)
    return Record(message, None, Status.QUEUED, 0, 0.0, 5)


def ready(queue: Queue, now: float = AT) -> list[str]:
    """Take everything that is ready; return the ids in order."""
    taken = []
    while (ticket := queue.ready.pop(now)) is not None:
        taken.append(ticket.id)
    return taken


def ids(*numbers: int) -> list[str]:
    """Return message ids."""
    return [f"{number:032x}" for number in numbers]


def test_a_returned_message_gets_its_place_back() -> None:
    """At the front it comes before what its client sent later; without that it goes to the end."""
    queue = Queue("coders")
    for number in (2, 3):
        queue.enter(record(number), AT)
    queue.enter(record(1), AT, front=True)
    queue.enter(record(4), AT)
    assert ready(queue) == ids(1, 2, 3, 4)


def test_a_place_in_the_order_carries_what_decides() -> None:
    """Level, client, strictness, time of expiry and the time since which it waits."""
    held = record(1, level="bulk", ttl_s=9.0, client="x")
    ticket = ticket_for(held, AT + 1.0)
    assert (ticket.id, ticket.level, ticket.client, ticket.strict) == (held.envelope.id, 4, "x", False)
    assert (ticket.expires_at, ticket.queued_at) == (AT + 9.0, AT + 1.0)


def test_delayed_messages_come_back_when_they_are_due_and_not_before() -> None:
    """The earliest first, each exactly once."""
    queue = Queue("coders")
    for number, delay_s in ((1, 30.0), (2, 10.0), (3, 20.0)):
        queue.delay(record(number), AT + delay_s)
    assert queue.next_due() == AT + 10.0
    assert queue.due(AT + 9.9) == []
    assert [one.envelope.id for one in queue.due(AT + 20.0)] == ids(2, 3)
    assert [one.envelope.id for one in queue.delayed()] == ids(1)
    assert [one.envelope.id for one in queue.due(AT + 99.0)] == ids(1)
    assert queue.next_due() is None


def test_a_delay_ends_with_the_time_to_live() -> None:
    """A message whose delay is longer than it lives is due when it expires."""
    queue = Queue("coders")
    queue.delay(record(1, ttl_s=5.0), AT + 60.0)
    assert queue.next_due() == AT + 5.0
    assert len(queue.due(AT + 5.0)) == 1


def test_a_forgotten_message_is_not_due_any_more() -> None:
    """Nor is the time looked at at which it would have been."""
    queue = Queue("coders")
    first, second = record(1), record(2)
    queue.delay(first, AT + 10.0)
    queue.delay(second, AT + 20.0)
    queue.forget_delayed(first)
    assert queue.next_due() == AT + 20.0
    assert queue.due(AT + 15.0) == []
    assert queue.delayed() == [second]


def test_a_message_that_is_delayed_again_is_due_once_at_its_new_time() -> None:
    """An entry of an earlier delay means nothing, even where the message has come back to be delayed."""
    queue = Queue("coders")
    again = record(1)
    queue.delay(again, AT + 10.0)
    queue.forget_delayed(again)
    queue.delay(again, AT + 30.0)
    assert queue.due(AT + 10.0) == []
    assert queue.next_due() == AT + 30.0
    assert queue.due(AT + 30.0) == [again]


def test_what_is_ahead_is_what_is_served_before() -> None:
    """Only ready messages of the same level or a higher one; for the lowest level that is everything."""
    queue = Queue("coders")
    for number, level in enumerate(("critical", "normal", "normal", "bulk")):
        queue.enter(record(number, level=level), AT)
    queue.delay(record(9, level="critical"), AT + 10.0)
    assert [queue.ahead(level) for level in range(5)] == [1, 1, 3, 3, 4]


def test_the_first_to_expire_is_due_like_a_delayed_one() -> None:
    """Whichever comes first is the next time to look, within a tick."""
    queue = Queue("coders")
    queue.enter(record(1, ttl_s=5.0), AT)
    queue.delay(record(2), AT + 60.0)
    due = queue.next_due()
    assert due is not None
    assert AT + 5.0 <= due <= AT + 5.04
    queue.delay(record(3), AT + 1.0)
    assert queue.next_due() == AT + 1.0


def test_it_describes_itself() -> None:
    """Depth by level, delayed, in flight, the age of the oldest, paused or not."""
    queue = Queue("coders")
    queue.enter(record(1, level="critical"), AT)
    queue.enter(record(2), AT + 2.0)
    queue.delay(record(3), AT + 60.0)
    queue.in_flight, queue.paused = 4, True
    view = queue.describe(AT + 10.0)
    assert (view.name, view.queued, view.delayed) == ("coders", (1, 0, 1, 0, 0), 1)
    assert (view.in_flight, view.oldest_s, view.paused) == (4, 10.0, True)
