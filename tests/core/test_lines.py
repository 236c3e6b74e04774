from __future__ import annotations

import gc
import random

from pointsman.core.lines import ENDED, FREE, OVERDUE, WAITING, Lines, Ticket

NEVER = 1e9


def ticket(name: str, *, strict: bool = False, expires_at: float = NEVER) -> Ticket:
    """A ticket of the client that the first letter names."""
    return Ticket(id=name, level=2, client=name[0], expires_at=expires_at, queued_at=0.0, strict=strict)


def filled(*names: str) -> Lines:
    """Lines with these tickets, in this order; a `!` makes a ticket strict."""
    lines = Lines()
    for name in names:
        lines.push(ticket(name.rstrip("!"), strict=name.endswith("!")))
    return lines


def take(lines: Lines, guest: bool = False) -> str | None:
    """Take one ticket; its id."""
    taken = lines.take(0.0, guest)
    return None if taken is None else taken.id


def take_all(lines: Lines, guest: bool = False) -> list[str]:
    """Take until there is nothing more for this caller."""
    taken = []
    while (name := take(lines, guest)) is not None:
        taken.append(name)
    return taken


def test_clients_take_turns():
    """One of each client, then the next of each, in the order in which each came."""
    assert take_all(filled("a1", "a2", "a3", "b1", "c1", "c2")) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_a_client_that_comes_in_waits_for_one_turn_of_the_others():
    """It goes to the end of the ring, before the next turn of those who were served since."""
    lines = filled("a1", "a2", "b1", "b2")
    assert take(lines) == "a1"
    lines.push(ticket("c1"))
    assert take_all(lines) == ["b1", "a2", "c1", "b2"]


def test_a_client_that_ran_empty_loses_its_place():
    """Whoever has nothing waiting cannot hold a turn for later."""
    lines = filled("a1", "b1", "b2", "c1")
    assert take(lines) == "a1"
    lines.push(ticket("a2"))
    assert take_all(lines) == ["b1", "c1", "a2", "b2"]


def test_a_client_whose_last_ticket_ended_loses_its_place():
    """The same where it did not run empty by being served: its old place is not kept by the tombstone."""
    lines = Lines()
    gone = ticket("a1")
    for one in (gone, ticket("b1"), ticket("c1")):
        lines.push(one)
    lines.end(gone)
    lines.push(ticket("a2"))
    assert take_all(lines) == ["b1", "c1", "a2"]


def test_a_ticket_pushed_to_the_front_is_the_next_of_its_client():
    """A returned lease comes before what its client has waiting, and no earlier in the ring."""
    lines = filled("a1", "a2", "b1", "b2")
    assert take(lines) == "a1"
    lines.push_front(ticket("a1"))
    assert take_all(lines) == ["b1", "a1", "b2", "a2"]


def test_a_guest_never_gets_a_strict_ticket():
    """Guests take what is not strict, however it is mixed, and leave the rest."""
    lines = filled("a1!", "a2", "b1!", "b2!", "c1", "a3!", "a4")
    assert take_all(lines, guest=True) == ["a2", "c1", "a4"]
    assert lines.waiting == 4


def test_owners_find_what_guests_passed_over_in_its_order():
    """Strict tickets keep their places: first of their client, and their client before those who were served."""
    lines = filled("a1!", "a2", "b1!", "b2!", "c1", "c2", "a3!")
    assert take(lines, guest=True) == "a2"
    assert take(lines, guest=True) == "c1"
    assert take_all(lines) == ["b1", "a1", "c2", "b2", "a3"]


def test_a_client_with_strict_tickets_only_is_passed_over_once():
    """A guest does not look again at what it has passed over: its cost does not grow with what is strict."""
    lines = filled(*(f"{client}{number}!" for client in "abcdefgh" for number in range(50)))
    assert take(lines, guest=True) is None
    assert not lines._ring
    lines.push(ticket("z1"))
    assert take(lines, guest=True) == "z1"
    assert len(take_all(lines)) == 400


def test_a_client_set_aside_is_seen_by_guests_when_it_has_something_for_them():
    """A client of whom only strict tickets were left comes before the ring once it pushes another one."""
    lines = filled("a1!", "b1", "b2")
    assert take(lines, guest=True) == "b1"
    lines.push(ticket("a2", strict=True))
    assert take(lines, guest=True) == "b2"
    lines.push(ticket("b3"))
    lines.push(ticket("a3"))
    assert take(lines, guest=True) == "a3"
    assert take_all(lines) == ["b3", "a1", "a2"]


def test_a_client_set_aside_stays_there_while_it_has_nothing_for_guests():
    """More strict tickets do not bring it back: guests would pass over them all again."""
    lines = filled("a1!", "b1")
    assert take(lines, guest=True) == "b1"
    assert take(lines, guest=True) is None
    lines.push(ticket("a2", strict=True))
    assert not lines._ring
    assert take_all(lines) == ["a1", "a2"]


def test_clients_set_aside_are_served_in_the_order_in_which_they_came():
    """Owners go on with the first of them; who came back for guests is behind those still aside, its line in order."""
    lines = filled("a1!", "b1!", "c1!", "a2!", "a3!")
    assert take(lines, guest=True) is None
    assert take(lines) == "a1"
    lines.push_front(ticket("a1"))
    assert take_all(lines) == ["b1", "c1", "a1", "a2", "a3"]
    lines = filled("a1!", "b1!", "c1!", "a2!", "a3!")
    assert take(lines, guest=True) is None
    lines.push_front(ticket("b0"))
    assert take_all(lines) == ["a1", "c1", "b0", "a2", "b1", "a3"]


def test_a_returned_lease_of_a_client_set_aside_is_first_for_everybody():
    """Guests see it, and owners get it before the strict tickets it stood before."""
    for guest, rest in ((True, ["a2"]), (False, ["a2"])):
        lines = filled("a1", "a2!")
        assert take(lines, guest=True) == "a1"
        assert take(lines, guest=True) is None
        lines.push_front(ticket("a1"))
        assert take(lines, guest=guest) == "a1"
        assert take_all(lines) == rest


def test_a_ticket_met_after_its_time_leaves_its_line_once():
    """It is not handed out, not met again, and still accounted for until it is ended."""
    lines = Lines()
    late = ticket("a1", expires_at=10.0)
    lines.push(late)
    lines.push(ticket("a2"))
    taken = lines.take(10.0, False)
    assert taken is not None
    assert taken.id == "a2"
    assert (late.place, lines.waiting, lines.overdue) == (OVERDUE, 0, 1)
    lines.end(late)
    assert (late.place, lines.waiting, lines.overdue) == (ENDED, 0, 0)


def test_a_ticket_knows_where_it_is():
    """Free, waiting, free again when taken."""
    lines, one = Lines(), ticket("a1")
    assert one.place == FREE
    lines.push(one)
    assert one.place == WAITING
    assert lines.take(0.0, False) is one
    assert one.place == FREE


def test_tombstones_never_outnumber_what_waits_by_much():
    """Cancelling in any order leaves at most as many remains as there are tickets, and a few."""
    rng = random.Random(1)
    lines = Lines()
    tickets = [ticket(f"{rng.choice('abcdef')}{number}", strict=rng.random() < 0.3) for number in range(3000)]
    for one in tickets:
        lines.push(one)
    for _ in range(30):
        taken = lines.take(0.0, guest=True)
        assert taken is not None
        tickets.remove(taken)
    rng.shuffle(tickets)
    while tickets:
        lines.end(tickets.pop())
        held = sum(line.held for line in {*lines._ring, *lines._apart.values()})
        assert held == lines.waiting + lines.tombstones
        assert lines.tombstones <= lines.waiting + 64
        assert lines.waiting == len(tickets)
        assert len(lines._ring) <= lines.waiting + 64


def test_clients_that_come_and_go_leave_nothing_behind():
    """After a thousand clients with one message each, a few empty lines are kept for the next, and no more."""
    lines = Lines()
    for round_ in range(10):
        ended = []
        for number in range(100):
            one = Ticket(id="x", level=2, client=f"{round_}/{number}", expires_at=NEVER, queued_at=0.0)
            lines.push(one)
            ended.append(one)
        for one in ended[::2]:
            lines.end(one)
        assert len(take_all(lines)) == 50
    assert (lines.waiting, lines.tombstones, len(lines._by_client), len(lines._ring)) == (0, 0, 0, 0)
    assert len(lines._spare) <= 64


def test_a_kept_line_brings_nothing_of_its_last_client():
    """A line that was left with tombstones, in a ring or set aside, is as good as new for the next client."""
    lines = Lines()
    strict, late = ticket("a1", strict=True), ticket("a2", strict=True)
    lines.push(strict)
    assert take(lines, guest=True) is None
    lines.push(late)
    lines.end(strict)
    lines.end(late)
    assert lines.tombstones == 0
    plain, gone = ticket("b1"), ticket("b2")
    lines.push(plain)
    lines.push(gone)
    lines.end(gone)
    assert take(lines) == "b1"
    assert lines.tombstones == 0
    lines.push(ticket("c1"))
    assert [line.held for line in lines] == [1]
    assert take_all(lines, guest=True) == ["c1"]


def test_clients_that_cancel_everything_do_not_crowd_the_ring():
    """Lines of which only tombstones are left are swept out with them."""
    lines = Lines()
    for number in range(1000):
        one = Ticket(id="x", level=2, client=str(number), expires_at=NEVER, queued_at=0.0)
        lines.push(one)
        lines.end(one)
        assert len(lines._ring) <= 65


def test_tickets_are_not_tracked_by_the_garbage_collector():
    """A hundred thousand waiting messages do not make each collection slower."""
    assert not gc.is_tracked(ticket("a1"))
