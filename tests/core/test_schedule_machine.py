"""The scheduler against a model that keeps lists and looks through all of them: same answers, step by step."""

from __future__ import annotations

from math import floor

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from pointsman.core.schedule import Scheduler, Ticket

TICK_S = 0.03125
LEVEL = st.sampled_from([2, 2, 2, 2, 0, 1, 3, 4])
CYCLE = Scheduler()._turns._cycle


class Client:
    def __init__(self, name: str) -> None:
        self.name = name
        self.tickets: list[Ticket] = []
        self.passed: list[Ticket] = []


class Level:
    """Clients in a list: those of whom guests have seen all, then the ring."""

    def __init__(self) -> None:
        self.apart: list[Client] = []
        self.ring: list[Client] = []

    def waiting(self) -> list[Ticket]:
        return [one for client in self.apart + self.ring for one in client.tickets]

    def push(self, ticket: Ticket, front: bool) -> None:
        client = next((one for one in self.apart + self.ring if one.name == ticket.client), None)
        if client is None:
            client = Client(ticket.client)
            self.ring.append(client)
        elif client in self.apart and not ticket.strict:
            self.apart.remove(client)
            self.ring.insert(0, client)
        if front:
            client.tickets.insert(0, ticket)
            client.passed.clear()
        else:
            client.tickets.append(ticket)

    def take(self, now: float, guest: bool, overdue: list[Ticket]) -> Ticket | None:
        while (self.apart and not guest) or self.ring:
            client = self.apart.pop(0) if self.apart and not guest else self.ring.pop(0)
            found = None
            for one in list(client.tickets):
                if guest and one in client.passed:
                    continue
                if one.expires_at <= now:
                    client.tickets.remove(one)
                    overdue.append(one)
                elif guest and one.strict:
                    client.passed.append(one)
                else:
                    client.tickets.remove(one)
                    found = one
                    break
            if client.tickets:
                (self.ring if found else self.apart).append(client)
            if found:
                return found
        return None

    def end(self, ticket: Ticket) -> None:
        for clients in (self.apart, self.ring):
            for client in list(clients):
                if ticket in client.tickets:
                    client.tickets.remove(ticket)
                    if not client.tickets:
                        clients.remove(client)


class Model:
    def __init__(self) -> None:
        self.levels = [Level() for _ in range(5)]
        self.overdue: list[Ticket] = []
        self.turn = 0
        self.position = 0

    def all(self) -> list[Ticket]:
        return [one for level in self.levels for one in level.waiting()] + self.overdue

    def pop(self, now: float, guest: bool) -> Ticket | None:
        open_levels = [number for number, level in enumerate(self.levels) if level.waiting()]
        while open_levels:
            position = self.position
            if self.turn < 4:
                chosen = open_levels[0]
            else:
                while CYCLE[position % 31] not in open_levels:
                    position += 1
                chosen = CYCLE[position % 31]
            found = self.levels[chosen].take(now, guest, self.overdue)
            if found:
                if self.turn == 4:
                    self.position = position + 1
                self.turn = (self.turn + 1) % 5
                return found
            open_levels.remove(chosen)
        return None

    def end(self, ticket: Ticket) -> bool:
        if ticket not in self.all():
            return False
        if ticket in self.overdue:
            self.overdue.remove(ticket)
        else:
            self.levels[ticket.level].end(ticket)
        return True

    def ends(self) -> list[float]:
        return [(floor(one.expires_at / TICK_S) + 1) * TICK_S for one in self.all()]

    def expire(self, now: float) -> list[Ticket]:
        over = [one for one, end in zip(self.all(), self.ends(), strict=True) if end <= now]
        for one in over:
            self.end(one)
        return over


class ScheduleMachine(RuleBasedStateMachine):
    """Random pushes, pops of owners and guests, returned leases, cancels and expiries."""

    queued: Bundle[Ticket] = Bundle("queued")
    out: Bundle[Ticket] = Bundle("out")

    @initialize()
    def begin(self) -> None:
        self.scheduler = Scheduler(tick_s=TICK_S)
        self.model = Model()
        self.now = 1000.0
        self.made = 0

    @rule(
        target=queued,
        level=LEVEL,
        client=st.sampled_from("abc"),
        ttl_s=st.sampled_from([0.0, 0.02, 1.0, 60.0, 300.0, 500.0, 1000.0, 90_000.0]),
        strict=st.booleans(),
    )
    def push(self, level: int, client: str, ttl_s: float, strict: bool) -> Ticket:
        self.made += 1
        ticket = Ticket(
            id=str(self.made),
            level=level,
            client=client,
            expires_at=self.now + ttl_s,
            queued_at=self.now,
            strict=strict,
        )
        self.scheduler.push(ticket)
        self.model.levels[level].push(ticket, front=False)
        return ticket

    @rule(level=LEVEL, tickets=st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=15))
    def push_many(self, level: int, tickets: list[tuple[str, bool]]) -> None:
        for client, strict in tickets:
            self.push(level, client, 300.0, strict)

    @rule(target=out, guest=st.booleans())
    def pop(self, guest: bool) -> Ticket:
        popped = self.scheduler.pop(self.now, guest)
        assert popped is self.model.pop(self.now, guest)
        return popped or Ticket(id="none", level=0, client="a", expires_at=self.now + 1.0, queued_at=self.now)

    @rule(guests=st.lists(st.booleans(), max_size=20))
    def pop_many(self, guests: list[bool]) -> None:
        for guest in guests:
            assert self.scheduler.pop(self.now, guest) is self.model.pop(self.now, guest)

    @rule(ticket=consumes(out), front=st.booleans())
    def push_again(self, ticket: Ticket, front: bool) -> None:
        if ticket in self.model.all() or ticket.place:
            return
        (self.scheduler.push_front if front else self.scheduler.push)(ticket)
        self.model.levels[ticket.level].push(ticket, front)

    @rule(ticket=st.one_of(queued, out))
    def discard(self, ticket: Ticket) -> None:
        assert self.scheduler.discard(ticket) == self.model.end(ticket)

    @rule(every=st.integers(1, 5))
    def discard_many(self, every: int) -> None:
        for ticket in self.model.all()[::every]:
            assert self.scheduler.discard(ticket)
            self.model.end(ticket)

    @rule(step_s=st.sampled_from([0.01, 0.03125, 0.5, 10.0, 290.0]))
    def wait(self, step_s: float) -> None:
        self.now += step_s

    @rule()
    def expire(self) -> None:
        expired = self.scheduler.expire(self.now)
        assert sorted(one.id for one in expired) == sorted(one.id for one in self.model.expire(self.now))

    @precondition(lambda self: self.model.overdue)
    @rule()
    def drain(self) -> None:
        drained = self.scheduler.drain()
        assert sorted(one.id for one in drained) == sorted(one.id for one in self.model.all())
        turn, position = self.model.turn, self.model.position
        self.model = Model()
        self.model.turn, self.model.position = turn, position

    @invariant()
    def sizes_agree(self) -> None:
        everything = self.model.all()
        assert len(self.scheduler) == len(everything)
        assert self.scheduler.depths() == tuple(sum(one.level == level for one in everything) for level in range(5))

    @invariant()
    def the_next_expiry_agrees(self) -> None:
        assert self.scheduler.next_expiry() == min(self.model.ends(), default=None)

    @invariant()
    def peeking_shows_the_lines_by_turns(self) -> None:
        expected = []
        for level in self.model.levels:
            rows = [list(client.tickets) for client in level.apart + level.ring]
            while any(rows):
                expected += [row.pop(0) for row in rows if row]
        assert self.scheduler.peek(1000) == expected
        heads = [client.tickets[0].queued_at for level in self.model.levels for client in level.apart + level.ring]
        assert self.scheduler.oldest(self.now) == (self.now - min(heads) if heads else 0.0)

    @invariant()
    def remains_are_bounded(self) -> None:
        for level, lines in enumerate(self.scheduler._levels):
            assert bool(lines.waiting) == bool(self.scheduler._has >> level & 1)
            assert len(lines._ring) <= lines.waiting + lines.tombstones
            held = sum(line.held for line in {*lines._ring, *lines._apart.values()})
            assert held == lines.waiting + lines.tombstones
            assert lines.tombstones <= lines.waiting + 64


TestSchedule = ScheduleMachine.TestCase
