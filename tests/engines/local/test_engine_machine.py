"""The local engine against a naive model of itself: whatever happens in whatever order, both say the same."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pointsman.engines.local.engine import LocalEngine
from pointsman.model.errors import LeaseLost
from pointsman.model.message import Envelope, Message
from pointsman.model.outcome import (
    Accepted,
    Ack,
    Cause,
    Dead,
    Expire,
    Fail,
    Refusal,
    Refused,
    RetryIn,
    Settlement,
)
from pointsman.model.settings import EngineSettings
from pointsman.model.states import Status
from pointsman.ports import Lease, Source
from pointsman.testing import FakeClock
from tests.engines.local.drive import do

TICK_S = 0.03125
LEASE_S = 4.0
MOST_WAITING = 6
MOST_BYTES = 400
QUEUES = ("a", "b")


@dataclass(eq=False)
class Known:
    """A message as the model knows it: plain fields, no cleverness."""

    envelope: Envelope
    size: int
    status: Status = Status.QUEUED
    cause: Cause | None = None
    due: float = 0.0
    lease: Lease | None = None
    held: bool = False

    @property
    def live(self) -> bool:
        return self.status in {Status.QUEUED, Status.DELAYED, Status.LEASED}


@dataclass
class Model:
    """Every message there ever was, and the lines they stand in: by queue, level and client, and by serial key."""

    messages: dict[str, Known] = field(default_factory=dict)
    lines: dict[tuple[str, int, str], list[Known]] = field(default_factory=dict)
    keys: dict[tuple[str, str], list[Known]] = field(default_factory=dict)
    freed: list[str] = field(default_factory=list)

    def line(self, known: Known) -> list[Known]:
        envelope = known.envelope
        return self.lines.setdefault((envelope.pool, envelope.level, envelope.client), [])

    def leave(self, known: Known) -> None:
        if known in self.line(known):
            self.line(known).remove(known)

    def arrive(self, known: Known) -> None:
        """It becomes ready for the first time, or after a delay: it waits its turn if it has not had it."""
        if known.envelope.serial_key:
            key = self.key(known)
            if known not in key:
                key.append(known)
            known.held = key[0] is not known
        if not known.held:
            self.line(known).append(known)

    def key(self, known: Known) -> list[Known]:
        return self.keys.setdefault((known.envelope.pool, known.envelope.serial_key), [])

    def having(self, status: Status) -> list[Known]:
        return [known for known in self.messages.values() if known.status is status]

    def ready(self, queue: str, now: float, *, guest: bool) -> list[Known]:
        return [
            known
            for known in self.having(Status.QUEUED)
            if known.envelope.pool == queue
            and not known.held
            and known.envelope.expires_at > now
            and not (guest and known.envelope.message.strict)
        ]

    def end(self, known: Known, status: Status, cause: Cause | None) -> None:
        self.leave(known)
        known.status, known.cause, known.lease, known.held = status, cause, None, False
        key = self.key(known)
        if known in key:
            had_turn = key[0] is known
            key.remove(known)
            if had_turn and key:
                key[0].held = False
                self.line(key[0]).append(key[0])
                self.freed.append(known.envelope.pool)


class EngineAgainstModel(RuleBasedStateMachine):
    """Puts, leases, settles, cancels, reaps, pauses, purges and lets time pass; compares after each step."""

    @initialize()
    def begin(self) -> None:
        self.clock = FakeClock()
        self.resumed: list[str] = []
        self.engine = LocalEngine(
            EngineSettings(max_queued=MOST_WAITING, max_queued_bytes=MOST_BYTES, lease_s=LEASE_S),
            self.clock,
            QUEUES,
            self.resumed.append,
        )
        do(self.engine.open())
        self.model = Model()
        self.paused: set[str] = set()
        self.stale: list[Lease] = []
        self.made = 0

    @property
    def now(self) -> float:
        return self.clock.monotonic()

    @rule(
        queue=st.sampled_from(QUEUES),
        level=st.integers(0, 4),
        client=st.sampled_from("xyz"),
        ttl_s=st.sampled_from([0.01, 0.5, 3.0, 30.0]),
        size=st.sampled_from([1, 60, 150]),
        strict=st.booleans(),
        delay_s=st.sampled_from([0.0, 0.0, 1.0, 40.0]),
        key=st.sampled_from(["", "k", "k", "j"]),
    )
    def put(
        self, queue: str, level: int, client: str, ttl_s: float, size: int, strict: bool, delay_s: float, key: str
    ) -> None:
        self.made += 1
        envelope = Envelope(
            id=f"{self.made:032x}",
            message=Message(text="x", strict=strict),
            client=client,
            received_at=self.now,
            received_wall=self.clock.wall(),
            level=level,
            expires_at=self.now + ttl_s,
            pool=queue,
            size_bytes=size,
            serial_key=key,
        )
        held = sum(known.size for known in self.model.messages.values() if known.live)
        waiting = len(self.model.having(Status.QUEUED)) + len(self.model.having(Status.DELAYED))
        receipt = do(self.engine.put(envelope, delay_s))
        if waiting >= MOST_WAITING or held + size > MOST_BYTES:
            assert isinstance(receipt, Refused)
            assert receipt.reason is Refusal.QUEUE_FULL
            return
        assert receipt == Accepted(envelope.id)
        known = self.model.messages[envelope.id] = Known(envelope, size)
        if delay_s:
            known.status, known.due = Status.DELAYED, min(self.now + delay_s, envelope.expires_at)
        else:
            self.model.arrive(known)

    @rule(own=st.sampled_from(QUEUES), help=st.booleans(), want=st.integers(1, 3))
    def lease(self, own: str, help: bool, want: int) -> None:
        sources = [Source(own)]
        if help:
            sources.append(Source("b" if own == "a" else "a", guest=True))
        leases = do(self.engine.lease(sources, want))
        left = want
        for source in sources:
            here = [lease for lease in leases if lease.source == source.queue]
            fitting = self.model.ready(source.queue, self.now, guest=source.guest)
            assert len(here) == (0 if source.queue in self.paused else min(left, len(fitting)))
            left -= len(here)
            for lease in here:
                self._handed_out(lease, guest=source.guest)

    def _handed_out(self, lease: Lease, *, guest: bool) -> None:
        known = self.model.messages[lease.envelope.id]
        fitting = self.model.ready(lease.source, self.now, guest=guest)
        first = next(one for one in self.model.line(known) if one in fitting)
        assert known is first, "a message of one client and level overtook another"
        assert lease.attempt == known.envelope.attempt
        self.model.leave(known)
        known.status, known.lease, known.due = Status.LEASED, lease, self.now + LEASE_S

    @precondition(lambda self: self.model.having(Status.LEASED))
    @rule(
        data=st.data(),
        settlement=st.sampled_from(
            [
                Ack(),
                Fail("wrong"),
                Dead(Cause.ATTEMPTS_USED_UP, "used up"),
                Expire(),
                RetryIn(0.0),
                RetryIn(0.7),
                RetryIn(60.0),
            ]
        ),
    )
    def settle(self, data: st.DataObject, settlement: Settlement) -> None:
        known = data.draw(st.sampled_from(self.model.having(Status.LEASED)))
        assert known.lease is not None
        lease = known.lease
        do(self.engine.settle(lease, settlement))
        self.stale.append(lease)
        match settlement:
            case Ack():
                self.model.end(known, Status.DELIVERED, None)
            case Fail():
                self.model.end(known, Status.FAILED, Cause.MESSAGE_FAULT)
            case Dead():
                self.model.end(known, Status.DEAD, settlement.cause)
            case Expire():
                self.model.end(known, Status.EXPIRED, Cause.TTL)
            case RetryIn(delay_s=0.0):
                known.status = Status.QUEUED
                self.model.line(known).insert(0, known)
            case RetryIn():
                known.status = Status.DELAYED
                known.due = min(self.now + settlement.delay_s, known.envelope.expires_at)

    @precondition(lambda self: self.stale)
    @rule(data=st.data(), settlement=st.sampled_from([Ack(), RetryIn(0.0), Fail("late")]))
    def settle_too_late(self, data: st.DataObject, settlement: Settlement) -> None:
        lease = data.draw(st.sampled_from(self.stale))
        with pytest.raises(LeaseLost):
            do(self.engine.settle(lease, settlement))
        with pytest.raises(LeaseLost):
            do(self.engine.renew(lease, 10.0))

    @precondition(lambda self: self.model.having(Status.LEASED))
    @rule(data=st.data(), for_s=st.sampled_from([1.0, LEASE_S, 20.0]))
    def renew(self, data: st.DataObject, for_s: float) -> None:
        known = data.draw(st.sampled_from(self.model.having(Status.LEASED)))
        assert known.lease is not None
        do(self.engine.renew(known.lease, for_s))
        known.due = max(known.due, self.now + for_s)

    @precondition(lambda self: self.model.messages)
    @rule(data=st.data(), cause=st.sampled_from([Cause.SENDER, Cause.SHUTDOWN]))
    def cancel(self, data: st.DataObject, cause: Cause) -> None:
        known = data.draw(st.sampled_from(list(self.model.messages.values())))
        ended = do(self.engine.cancel(known.envelope.id, cause))
        assert (ended is not None) == known.live
        if ended is not None:
            assert (ended.envelope, ended.status, ended.cause) == (known.envelope, Status.CANCELLED, cause)
            if known.lease is not None:
                self.stale.append(known.lease)
            self.model.end(known, Status.CANCELLED, cause)

    @rule(queue=st.sampled_from(QUEUES))
    def purge(self, queue: str) -> None:
        waiting = [
            known
            for known in self.model.messages.values()
            if known.status in {Status.QUEUED, Status.DELAYED} and known.envelope.pool == queue
        ]
        ended = do(self.engine.purge(queue))
        assert {one.envelope.id for one in ended} == {known.envelope.id for known in waiting}
        assert len(ended) == len(waiting)
        for known in sorted(waiting, key=lambda known: not known.held):
            self.model.end(known, Status.CANCELLED, Cause.PURGED)

    @rule(queue=st.sampled_from(QUEUES))
    def pause_or_resume(self, queue: str) -> None:
        if queue in self.paused:
            self.paused.discard(queue)
            do(self.engine.resume(queue))
            self.model.freed.append(queue)
        else:
            self.paused.add(queue)
            do(self.engine.pause(queue))

    @rule(seconds=st.sampled_from([0.01, 0.1, 0.5, 2.0, 5.0, 31.0]))
    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def reap(self) -> None:
        now = self.now
        reaped = do(self.engine.reap())
        over = {known.envelope.id: known for known in self.model.having(Status.QUEUED)}
        late = {one for one, known in over.items() if known.envelope.expires_at <= now - TICK_S}
        due = [known for known in self.model.having(Status.DELAYED) if known.due <= now]
        dead = {known.envelope.id for known in due if known.envelope.expires_at <= now}
        ended = {one.envelope.id for one in reaped.ended}
        assert len(ended) == len(reaped.ended)
        assert late | dead <= ended
        assert all(self.model.messages[one].envelope.expires_at <= now for one in ended)
        # Those held back first: none of them has its turn only to end at once.
        for one in sorted(ended, key=lambda one: not self.model.messages[one].held):
            self.model.end(self.model.messages[one], Status.EXPIRED, Cause.TTL)
        self._came_ready([known for known in due if known.envelope.id not in ended], reaped.ready)
        self._were_lost(reaped.lost)
        self._next_due_is_right(reaped.next_due)

    def _came_ready(self, come: list[Known], ready: list[str]) -> None:
        assert sorted(ready) == sorted({known.envelope.pool for known in come})
        for known in sorted(come, key=lambda one: (one.due, one.envelope.id)):
            known.status = Status.QUEUED
            self.model.arrive(known)

    def _were_lost(self, lost: list[Lease]) -> None:
        over = [known for known in self.model.having(Status.LEASED) if known.due <= self.now]
        assert {lease.envelope.id for lease in lost} == {known.envelope.id for known in over}
        for lease in lost:
            known = self.model.messages[lease.envelope.id]
            assert known.lease is not None
            assert lease.attempt == known.lease.attempt
            self.stale.append(known.lease)
            known.lease, known.due = lease, self.now + LEASE_S

    def _next_due_is_right(self, next_due: float | None) -> None:
        waiting = [known.envelope.expires_at for known in self.model.having(Status.QUEUED)]
        others = [*self.model.having(Status.DELAYED), *self.model.having(Status.LEASED)]
        times = waiting + [known.due for known in others]
        if not times:
            assert next_due is None
        else:
            assert next_due is not None
            assert min(times) <= next_due <= min(times) + TICK_S

    @invariant()
    def whoever_leases_is_told_of_what_has_become_ready(self) -> None:
        assert sorted(self.resumed) == sorted(self.model.freed)
        self.resumed.clear()
        self.model.freed.clear()

    @invariant()
    def accounts_are_right(self) -> None:
        counts = do(self.engine.counts())
        model = self.model
        for name in ("delivered", "failed", "dead", "expired", "cancelled"):
            assert getattr(counts, name) == len(model.having(Status(name)))
        assert counts.in_flight == len(model.having(Status.LEASED))
        assert counts.waiting == len(model.having(Status.QUEUED)) + len(model.having(Status.DELAYED))
        assert counts.admitted == len(model.messages)

    @invariant()
    def queues_are_right(self) -> None:
        for view in do(self.engine.queues()):
            of = [known for known in self.model.messages.values() if known.envelope.pool == view.name]
            ready = [known.envelope.level for known in of if known.status is Status.QUEUED]
            assert view.queued == tuple(ready.count(level) for level in range(5))
            assert view.delayed == sum(known.status is Status.DELAYED for known in of)
            assert view.in_flight == sum(known.status is Status.LEASED for known in of)
            assert view.paused == (view.name in self.paused)
            for level in range(5):
                free = [known.envelope.level for known in of if known.status is Status.QUEUED and not known.held]
                assert self.engine.waiting(view.name, level) == sum(one <= level for one in free)

    @invariant()
    def each_message_is_where_it_should_be(self) -> None:
        for message_id, known in self.model.messages.items():
            view = do(self.engine.get(message_id))
            assert view is not None
            assert (view.status, view.cause) == (known.status, known.cause)
            letter = do(self.engine.dead_letter(message_id))
            assert (letter is not None) == (known.status in {Status.FAILED, Status.DEAD, Status.EXPIRED})
            assert self.engine.status(message_id) == (known.status if known.live else None)


TestEngineAgainstModel = EngineAgainstModel.TestCase
TestEngineAgainstModel.settings = settings(max_examples=80, stateful_step_count=60)
