from __future__ import annotations

from collections import Counter

import pytest

from pointsman.core.lines import Line
from pointsman.core.schedule import Scheduler, Ticket
from pointsman.core.wheel import Wheel
from pointsman.model.errors import UsageError

NEVER = 1e9


def ticket(
    id: str = "t",
    level: int = 2,
    client: str = "a",
    *,
    expires_at: float = NEVER,
    queued_at: float = 0.0,
    strict: bool = False,
) -> Ticket:
    """A ticket that never expires, unless it says so."""
    return Ticket(id=id, level=level, client=client, expires_at=expires_at, queued_at=queued_at, strict=strict)


def ids(tickets: list[Ticket]) -> list[str]:
    """The tickets' ids."""
    return [one.id for one in tickets]


def test_an_overdue_ticket_that_was_met_is_still_counted_until_it_expires():
    """`pop` leaves what is over to `expire`: no message is lost between the two, and depth stays true."""
    scheduler = Scheduler()
    scheduler.push(ticket("late", expires_at=10.0))
    assert scheduler.pop(10.0) is None
    assert (len(scheduler), scheduler.depths()) == (1, (0, 0, 1, 0, 0))
    assert ids(scheduler.expire(11.0)) == ["late"]
    assert (len(scheduler), scheduler.depths()) == (0, (0, 0, 0, 0, 0))
    assert scheduler.expire(12.0) == []


def test_a_ticket_can_be_discarded_wherever_it_stands():
    """In its line, set aside by a guest, or met after its time: it is gone once, and never comes out again."""
    scheduler = Scheduler()
    plain, strict, late = ticket("plain"), ticket("strict", strict=True), ticket("late", level=4, expires_at=5.0)
    for one in (plain, strict, late):
        scheduler.push(one)
    returned = scheduler.pop(5.0, guest=True)
    assert returned is plain
    assert scheduler.pop(5.0, guest=True) is None
    scheduler.push(returned)
    assert len(scheduler) == 3
    assert [scheduler.discard(one) for one in (plain, strict, late)] == [True, True, True]
    assert [scheduler.discard(one) for one in (plain, strict, late)] == [False, False, False]
    assert len(scheduler) == 0
    assert scheduler.pop(0.0) is None
    assert scheduler.expire(NEVER) == []


def test_a_popped_ticket_is_not_there_to_be_discarded():
    """What is out cannot be cancelled here."""
    scheduler = Scheduler()
    scheduler.push(ticket())
    popped = scheduler.pop(0.0)
    assert popped is not None
    assert not scheduler.discard(popped)


def test_a_returned_lease_keeps_its_place_at_the_head():
    """Popped and pushed to the front, a ticket is its client's next one."""
    scheduler = Scheduler()
    for name in ("first", "second"):
        scheduler.push(ticket(name))
    popped = scheduler.pop(0.0)
    assert popped is not None
    scheduler.push_front(popped)
    assert [popped.id for popped in (scheduler.pop(0.0), scheduler.pop(0.0)) if popped] == ["first", "second"]


def test_a_guest_finds_a_lower_level_behind_strict_ones():
    """A level full of strict tickets neither blocks a guest nor uses up anybody's turn."""
    scheduler = Scheduler()
    for number in range(10):
        scheduler.push(ticket(f"strict {number}", 0, strict=True))
    scheduler.push(ticket("open", 4))
    popped = scheduler.pop(0.0, guest=True)
    assert popped is not None
    assert popped.id == "open"
    assert scheduler.pop(0.0, guest=True) is None
    owned = [scheduler.pop(0.0) for _ in range(10)]
    assert [one and one.id for one in owned] == [f"strict {number}" for number in range(10)]


@pytest.mark.parametrize("verb", ["push", "push_front"])
def test_a_ticket_cannot_wait_twice(verb):
    """Pushing what waits already, or has ended, is a bug that is named; the schedule stays as it was."""
    scheduler = Scheduler()
    one = ticket()
    scheduler.push(one)
    with pytest.raises(UsageError, match="waits already"):
        getattr(scheduler, verb)(one)
    assert len(scheduler) == 1
    scheduler.discard(one)
    with pytest.raises(UsageError, match="make a new one"):
        getattr(scheduler, verb)(one)
    assert len(scheduler) == 0


@pytest.mark.parametrize("verb", ["push", "push_front"])
@pytest.mark.parametrize("level", [-1, 5])
def test_a_level_that_does_not_exist_is_refused(verb, level):
    """Levels are 0 to 4."""
    scheduler = Scheduler()
    with pytest.raises(UsageError, match="expected 0 to 4"):
        getattr(scheduler, verb)(ticket(level=level))
    assert len(scheduler) == 0


def test_a_ticket_without_an_end_is_refused():
    """Every message has a time to live: an infinite one raises and leaves nothing behind."""
    scheduler = Scheduler()
    with pytest.raises(OverflowError):
        scheduler.push(ticket(expires_at=float("inf")))
    assert len(scheduler) == 0
    assert scheduler.next_expiry() is None


def test_drain_takes_everything():
    """What waits in a line, aside and overdue: all of it comes out, and the schedule is as new."""
    scheduler = Scheduler()
    scheduler.push(ticket("aside", strict=True))
    scheduler.push(ticket("overdue", level=1, expires_at=1.0))
    assert scheduler.pop(1.0, guest=True) is None
    scheduler.push(ticket("plain", level=4))
    assert sorted(ids(scheduler.drain())) == ["aside", "overdue", "plain"]
    assert (len(scheduler), scheduler.depths(), scheduler.next_expiry()) == (0, (0, 0, 0, 0, 0), None)
    assert scheduler.pop(0.0) is None
    scheduler.push(ticket("new"))
    assert ids(scheduler.drain()) == ["new"]


def test_oldest_is_the_age_of_the_oldest_head():
    """The longest wait of all levels and clients; 0 where nothing waits."""
    scheduler = Scheduler()
    assert scheduler.oldest(100.0) == 0.0
    scheduler.push(ticket(level=0, queued_at=90.0))
    oldest = ticket(level=4, client="b", queued_at=50.0)
    scheduler.push(oldest)
    scheduler.push(ticket(level=4, client="b", queued_at=60.0))
    assert scheduler.oldest(100.0) == 50.0
    scheduler.discard(oldest)
    assert scheduler.oldest(100.0) == 40.0


def test_peek_shows_the_next_ones_and_changes_nothing():
    """Level by level, clients by turns, what guests passed over included."""
    scheduler = Scheduler()
    for name, level, strict in (("a1", 3, True), ("a2", 3, False), ("b1", 3, False), ("c1", 1, False)):
        scheduler.push(ticket(name, level, name[0], strict=strict))
    popped = scheduler.pop(0.0, guest=True)
    assert popped is not None
    assert popped.id == "c1"
    assert ids(scheduler.peek(2)) == ["a1", "b1"]
    assert ids(scheduler.peek(10)) == ["a1", "b1", "a2"]
    assert scheduler.peek(0) == []
    assert len(scheduler) == 3


def test_expiring_many_at_once_is_not_quadratic(monkeypatch):
    """Twenty thousand that expire together are moved and swept a few times each, not once for each other."""
    looked_at = Counter[str]()
    add, sweep = Wheel.add, Line.sweep

    def counted_add(wheel: Wheel[Ticket], item: Ticket, span_s: float) -> None:
        looked_at["moved"] += 1
        add(wheel, item, span_s)

    def counted_sweep(line: Line) -> None:
        looked_at["swept"] += line.held
        sweep(line)

    monkeypatch.setattr(Wheel, "add", counted_add)
    monkeypatch.setattr(Line, "sweep", counted_sweep)
    scheduler = Scheduler()
    for number in range(20_000):
        scheduler.push(ticket("x", number % 5, f"client {number % 200}", expires_at=86_400.0))
    assert len(scheduler.expire(86_401.0)) == 20_000
    assert 20_000 < looked_at["moved"] <= 9 * 20_000
    assert 20_000 < looked_at["swept"] <= 3 * 20_000
