"""The conformance suite for engines: one library of cases that every engine must pass, ours and yours.

Each case is an async function of a `Bench`: an open engine, the clock it was given, and a way to make envelopes. To run
them against your own engine:

    from pointsman.testing.engine_suite import CASES, Bench

    @pytest.mark.parametrize("case", CASES.values(), ids=CASES)
    async def test_conformance(case):
        clock = SimClock()
        engine = MyEngine(...)                      # queues "a" and "b", leases of 30 s, at most 50 messages waiting
        await engine.open()
        try:
            await case(Bench(engine, clock))
        finally:
            await engine.close()

Idea: riverqueue/river `riverdriver/riverdrivertest`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from pointsman.model.errors import LeaseLost, NotFound
from pointsman.model.message import Envelope, Message
from pointsman.model.outcome import Accepted, Ack, Cause, Dead, Expire, Fail, Refusal, Refused, RetryIn
from pointsman.model.states import Status
from pointsman.ports import Clock, Engine, Lease, Source

LEASE_S: Final = 30.0
"""Length of a lease that the engine under test must be set to, seconds."""

MAX_QUEUED: Final = 50
"""Messages that may wait at once in the engine under test."""


class Bench:
    """An open engine and what a case needs around it."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        self.made = 0

    def envelope(
        self, *, queue: str = "a", client: str = "c", level: int = 2, ttl_s: float = 300.0, **fields: Any
    ) -> Envelope:
        """Return a fresh envelope as admission would leave it."""
        self.made += 1
        now = self.clock.monotonic()
        return Envelope(
            id=f"{self.made:032x}",
            message=Message(text=f"text {self.made}", **fields),
            client=client,
            received_at=now,
            received_wall=self.clock.wall(),
            ask=f"text {self.made}",
            level=level,
            ttl_s=ttl_s,
            expires_at=now + ttl_s,
            pool=queue,
        )

    async def put(self, **options: Any) -> Envelope:
        """Enqueue a fresh envelope and return it."""
        envelope = self.envelope(**options)
        receipt = await self.engine.put(envelope)
        assert receipt == Accepted(envelope.id), receipt
        return envelope

    async def take(self, want: int = 1, queue: str = "a") -> list[Lease]:
        """Lease from one queue."""
        return await self.engine.lease((Source(queue),), want)

    async def take_one(self, queue: str = "a") -> Lease:
        """Lease the one message that must be there."""
        leases = await self.take(1, queue)
        assert len(leases) == 1, f"expected one message in queue {queue}, got {len(leases)}"
        return leases[0]

    async def pass_time(self, seconds: float) -> None:
        """Let time go by."""
        await self.clock.sleep_until(self.clock.monotonic() + seconds)

    async def status(self, envelope: Envelope) -> Status | None:
        """Return where a message is."""
        view = await self.engine.get(envelope.id)
        return view.status if view else None


Case = Callable[[Bench], Awaitable[None]]
CASES: Final[dict[str, Case]] = {}
"""Every case by name."""


def case(function: Case) -> Case:
    """Add a case."""
    CASES[getattr(function, "__name__", repr(function))] = function
    return function


async def _lost(work: Awaitable[object]) -> None:
    try:
        await work
    except LeaseLost:
        return
    raise AssertionError("expected LeaseLost, and the call went through")


@case
async def accepts_a_message_and_reports_it_as_queued(bench: Bench) -> None:
    """A message that was put is queued, under the id it came with."""
    envelope = await bench.put()
    assert await bench.status(envelope) is Status.QUEUED


@case
async def hands_out_what_was_put(bench: Bench) -> None:
    """A lease carries the very envelope, as its first attempt."""
    envelope = await bench.put()
    lease = await bench.take_one()
    assert lease.envelope.id == envelope.id
    assert (lease.attempt, lease.envelope.attempt) == (1, 1)
    assert await bench.status(envelope) is Status.LEASED


@case
async def hands_out_each_message_once(bench: Bench) -> None:
    """Two leases never hold the same message."""
    for _ in range(5):
        await bench.put()
    ids = [lease.envelope.id for lease in await bench.take(10)]
    assert len(ids) == len(set(ids)) == 5
    assert await bench.take(1) == []


@case
async def hands_out_no_more_than_wanted(bench: Bench) -> None:
    """`want` is the most that a call returns."""
    for _ in range(5):
        await bench.put()
    assert len(await bench.take(3)) == 3
    assert len(await bench.take(3)) == 2


@case
async def returns_nothing_from_an_empty_queue(bench: Bench) -> None:
    """An empty queue gives an empty list and does not wait."""
    assert await bench.take(5) == []


@case
async def serves_a_client_in_order(bench: Bench) -> None:
    """First in, first out for one client within one priority."""
    sent = [await bench.put() for _ in range(10)]
    got = [lease.envelope.id for lease in await bench.take(10)]
    assert got == [envelope.id for envelope in sent]


@case
async def serves_the_higher_priority_first(bench: Bench) -> None:
    """A critical message that came last is handed out first."""
    await bench.put(level=4)
    await bench.put(level=2)
    critical = await bench.put(level=0)
    assert (await bench.take_one()).envelope.id == critical.id


@case
async def takes_turns_between_clients(bench: Bench) -> None:
    """A client with one message does not wait behind another's ten."""
    for _ in range(10):
        await bench.put(client="loud")
    quiet = await bench.put(client="quiet")
    first_two = [lease.envelope.id for lease in await bench.take(2)]
    assert quiet.id in first_two


@case
async def never_starves_a_level(bench: Bench) -> None:
    """With work on every level, the lowest gets its share: at least one in 155."""
    served = []
    for _ in range(155):
        counts = await bench.engine.counts()
        if counts.waiting < 10:
            for level in range(5):
                await bench.put(level=level)
        lease = await bench.take_one()
        served.append(lease.envelope.level)
        await bench.engine.settle(lease, Ack())
        if lease.envelope.level != 4 and 4 not in served:
            await bench.put(level=lease.envelope.level)
    assert 4 in served


@case
async def keeps_queues_apart(bench: Bench) -> None:
    """A lease from one queue never brings another queue's message."""
    await bench.put(queue="b")
    assert await bench.take(1, "a") == []
    assert len(await bench.take(1, "b")) == 1


@case
async def serves_sources_in_the_order_given(bench: Bench) -> None:
    """The first source is emptied before the second is looked at."""
    helped = await bench.put(queue="b", level=0)
    own = await bench.put(queue="a", level=4)
    leases = await bench.engine.lease((Source("a"), Source("b", guest=True)), 2)
    assert [lease.envelope.id for lease in leases] == [own.id, helped.id]
    assert [lease.source for lease in leases] == ["a", "b"]


@case
async def keeps_strict_messages_at_home(bench: Bench) -> None:
    """A guest gets no strict message; the queue's own pool does, in its place."""
    strict = await bench.put(strict=True)
    free = await bench.put()
    guest = await bench.engine.lease((Source("a", guest=True),), 5)
    assert [lease.envelope.id for lease in guest] == [free.id]
    assert (await bench.take_one()).envelope.id == strict.id


@case
async def ends_a_message_as_delivered(bench: Bench) -> None:
    """Ack is the end: the message is delivered and is not handed out again."""
    envelope = await bench.put()
    await bench.engine.settle(await bench.take_one(), Ack())
    assert await bench.status(envelope) is Status.DELIVERED
    assert await bench.take(1) == []


@case
async def ends_a_message_as_failed_with_a_dead_letter(bench: Bench) -> None:
    """Fail leaves a dead letter with the reason in words."""
    envelope = await bench.put()
    await bench.engine.settle(await bench.take_one(), Fail("it makes no sense"))
    assert await bench.status(envelope) is Status.FAILED
    letter = await bench.engine.dead_letter(envelope.id)
    assert letter is not None
    assert (letter.status, letter.cause, letter.detail) == (Status.FAILED, Cause.MESSAGE_FAULT, "it makes no sense")


@case
async def ends_a_message_as_dead_with_its_cause(bench: Bench) -> None:
    """Dead leaves a dead letter with the cause."""
    envelope = await bench.put()
    await bench.engine.settle(await bench.take_one(), Dead(Cause.OUTCOME_UNKNOWN, "nobody knows"))
    letter = await bench.engine.dead_letter(envelope.id)
    assert letter is not None
    assert (letter.status, letter.cause) == (Status.DEAD, Cause.OUTCOME_UNKNOWN)


@case
async def ends_a_leased_message_as_expired(bench: Bench) -> None:
    """Expire from a dispatcher ends the message with a dead letter, cause ttl."""
    envelope = await bench.put()
    await bench.engine.settle(await bench.take_one(), Expire())
    letter = await bench.engine.dead_letter(envelope.id)
    assert letter is not None
    assert (letter.status, letter.cause) == (Status.EXPIRED, Cause.TTL)


@case
async def retries_at_once_at_the_head_of_the_line(bench: Bench) -> None:
    """RetryIn(0) gives the message its place back, with a higher attempt number."""
    first = await bench.put()
    await bench.put()
    await bench.engine.settle(await bench.take_one(), RetryIn(0.0))
    lease = await bench.take_one()
    assert (lease.envelope.id, lease.attempt) == (first.id, 2)


@case
async def retries_after_a_delay(bench: Bench) -> None:
    """A delayed message is not handed out before its time, and is afterwards."""
    envelope = await bench.put()
    await bench.engine.settle(await bench.take_one(), RetryIn(5.0))
    assert await bench.status(envelope) is Status.DELAYED
    await bench.pass_time(4.9)
    await bench.engine.reap()
    assert await bench.take(1) == []
    await bench.pass_time(0.2)
    reaped = await bench.engine.reap()
    assert reaped.ready == ["a"]
    assert (await bench.take_one()).attempt == 2


@case
async def puts_a_message_that_must_not_start_yet(bench: Bench) -> None:
    """A message put with a delay becomes ready when it is over."""
    envelope = bench.envelope()
    await bench.engine.put(envelope, 10.0)
    assert await bench.status(envelope) is Status.DELAYED
    assert await bench.take(1) == []
    await bench.pass_time(10.1)
    await bench.engine.reap()
    assert (await bench.take_one()).envelope.id == envelope.id


@case
async def expires_a_waiting_message(bench: Bench) -> None:
    """Once its time is over a message is never handed out, and reaping ends it exactly once."""
    envelope = await bench.put(ttl_s=1.0)
    await bench.pass_time(1.1)
    assert await bench.take(1) == []
    reaped = await bench.engine.reap()
    assert [(one.envelope.id, one.status, one.cause) for one in reaped.ended] == [
        (envelope.id, Status.EXPIRED, Cause.TTL)
    ]
    assert (await bench.engine.reap()).ended == []
    assert await bench.engine.dead_letter(envelope.id) is not None


@case
async def expires_a_message_behind_others(bench: Bench) -> None:
    """Its place in the queue does not matter: what is over is over."""
    for _ in range(20):
        await bench.put(level=0)
    hurried = await bench.put(level=4, ttl_s=0.5)
    await bench.pass_time(0.6)
    assert [one.envelope.id for one in (await bench.engine.reap()).ended] == [hurried.id]
    assert len(await bench.take(30)) == 20


@case
async def expires_a_delayed_message(bench: Bench) -> None:
    """A retry that would come too late ends as expired when its time is over."""
    envelope = await bench.put(ttl_s=2.0)
    await bench.engine.settle(await bench.take_one(), RetryIn(10.0))
    await bench.pass_time(2.1)
    assert [one.envelope.id for one in (await bench.engine.reap()).ended] == [envelope.id]
    await bench.pass_time(10.0)
    assert await bench.take(1) == []


@case
async def does_not_expire_what_is_out(bench: Bench) -> None:
    """The time to live is the latest hand-out; an attempt may last longer."""
    envelope = await bench.put(ttl_s=1.0)
    lease = await bench.take_one()
    await bench.pass_time(2.0)
    assert (await bench.engine.reap()).ended == []
    await bench.engine.settle(lease, Ack())
    assert await bench.status(envelope) is Status.DELIVERED


@case
async def says_when_reaping_is_worth_it(bench: Bench) -> None:
    """At `next_due` something expires; before it nothing does."""
    await bench.put(ttl_s=3.0)
    reaped = await bench.engine.reap()
    assert reaped.next_due is not None
    await bench.clock.sleep_until(reaped.next_due)
    assert len((await bench.engine.reap()).ended) == 1
    assert (await bench.engine.reap()).next_due is None


@case
async def gives_a_lost_lease_to_whoever_reaps(bench: Bench) -> None:
    """A lease that nobody renewed comes back from `reap`, once, under a new fence."""
    envelope = await bench.put()
    old = await bench.take_one()
    await bench.pass_time(LEASE_S + 0.1)
    lost = (await bench.engine.reap()).lost
    assert [lease.envelope.id for lease in lost] == [envelope.id]
    assert (await bench.engine.reap()).lost == []
    await _lost(bench.engine.settle(old, Ack()))
    await bench.engine.settle(lost[0], RetryIn(0.0))
    assert (await bench.take_one()).attempt == 2


@case
async def refuses_a_late_settlement(bench: Bench) -> None:
    """A settlement under a lease that was superseded changes nothing."""
    envelope = await bench.put()
    old = await bench.take_one()
    await bench.engine.settle(old, RetryIn(0.0))
    new = await bench.take_one()
    await _lost(bench.engine.settle(old, Ack()))
    assert await bench.status(envelope) is Status.LEASED
    await bench.engine.settle(new, Ack())
    assert await bench.status(envelope) is Status.DELIVERED


@case
async def refuses_to_settle_twice(bench: Bench) -> None:
    """The second settlement of one lease is refused, whatever it says."""
    await bench.put()
    lease = await bench.take_one()
    await bench.engine.settle(lease, Ack())
    await _lost(bench.engine.settle(lease, Dead(Cause.ATTEMPTS_USED_UP, "late")))
    counts = await bench.engine.counts()
    assert (counts.delivered, counts.dead) == (1, 0)


@case
async def keeps_a_renewed_lease(bench: Bench) -> None:
    """A lease renewed in time is not lost, however long the work takes."""
    await bench.put()
    lease = await bench.take_one()
    for _ in range(10):
        await bench.pass_time(LEASE_S * 0.8)
        await bench.engine.renew(lease, LEASE_S)
        assert (await bench.engine.reap()).lost == []
    await bench.engine.settle(lease, Ack())


@case
async def refuses_to_renew_what_is_over(bench: Bench) -> None:
    """A settled lease cannot be renewed."""
    await bench.put()
    lease = await bench.take_one()
    await bench.engine.settle(lease, Ack())
    await _lost(bench.engine.renew(lease, LEASE_S))


@case
async def cancels_a_waiting_message(bench: Bench) -> None:
    """A cancelled message is not handed out; cancelling twice finds nothing."""
    envelope = await bench.put()
    ended = await bench.engine.cancel(envelope.id)
    assert ended is not None
    assert ended.status is Status.CANCELLED
    assert await bench.take(1) == []
    assert await bench.engine.cancel(envelope.id) is None


@case
async def cancels_a_delayed_message(bench: Bench) -> None:
    """A cancelled retry never comes back."""
    envelope = await bench.put()
    await bench.engine.settle(await bench.take_one(), RetryIn(1.0))
    assert await bench.engine.cancel(envelope.id) is not None
    await bench.pass_time(2.0)
    reaped = await bench.engine.reap()
    assert (reaped.ended, reaped.ready) == ([], [])
    assert await bench.take(1) == []


@case
async def cancels_a_message_that_is_out(bench: Bench) -> None:
    """Cancelling fences the attempt: its late answer no longer counts."""
    envelope = await bench.put()
    lease = await bench.take_one()
    assert await bench.engine.cancel(envelope.id) is not None
    await _lost(bench.engine.settle(lease, Ack()))
    assert await bench.status(envelope) is Status.CANCELLED


@case
async def leaves_no_dead_letter_for_a_cancelled_message(bench: Bench) -> None:
    """Whoever cancels needs no dead letter."""
    envelope = await bench.put()
    await bench.engine.cancel(envelope.id)
    assert await bench.engine.dead_letter(envelope.id) is None


@case
async def knows_nothing_of_an_unknown_id(bench: Bench) -> None:
    """Unknown ids are None, not errors."""
    unknown = "f" * 32
    assert await bench.engine.get(unknown) is None
    assert await bench.engine.cancel(unknown) is None
    assert await bench.engine.dead_letter(unknown) is None
    assert bench.engine.envelope(unknown) is None


@case
async def names_an_unknown_queue(bench: Bench) -> None:
    """A queue that does not exist is an error that says which exist."""
    try:
        await bench.take(1, "nowhere")
    except NotFound as error:
        assert "nowhere" in str(error)
    else:
        raise AssertionError("expected NotFound")


@case
async def finds_messages_by_what_they_are(bench: Bench) -> None:
    """Filters narrow, `limit` bounds, the newest come first."""
    first = await bench.put(client="x")
    second = await bench.put(client="x", conversation_id="talk")
    await bench.put(client="y")
    await bench.engine.cancel(first.id)
    assert {view.id for view in await bench.engine.find(client="x")} == {first.id, second.id}
    assert [view.id for view in await bench.engine.find(client="x", status=Status.QUEUED)] == [second.id]
    assert [view.id for view in await bench.engine.find(conversation_id="talk")] == [second.id]
    assert [view.id for view in await bench.engine.find(status=Status.CANCELLED)] == [first.id]
    assert len(await bench.engine.find(limit=2)) == 2
    assert await bench.engine.find(since=bench.clock.wall() + 1.0) == []


@case
async def lists_dead_letters_newest_first_and_forgets_one(bench: Bench) -> None:
    """Dead letters can be listed, bounded, and dropped one by one."""
    for _ in range(3):
        await bench.put()
        await bench.engine.settle(await bench.take_one(), Fail("no"))
        await bench.pass_time(1.0)
    letters = await bench.engine.dead_letters()
    assert [letter.envelope.id for letter in letters] == [f"{number:032x}" for number in (3, 2, 1)]
    assert len(await bench.engine.dead_letters(limit=2)) == 2
    assert await bench.engine.drop_dead_letter(letters[0].envelope.id)
    assert not await bench.engine.drop_dead_letter(letters[0].envelope.id)
    assert len(await bench.engine.dead_letters()) == 2


@case
async def refuses_above_its_bound(bench: Bench) -> None:
    """The message after the last that fits is refused as queue_full and retryable, and room lets the next one in."""
    for _ in range(MAX_QUEUED):
        await bench.put()
    receipt = await bench.engine.put(bench.envelope())
    assert isinstance(receipt, Refused)
    assert (receipt.reason, receipt.retryable) == (Refusal.QUEUE_FULL, True)
    await bench.engine.settle(await bench.take_one(), Ack())
    await bench.put()


@case
async def keeps_its_accounts(bench: Bench) -> None:
    """Admitted is the sum of the five ends, what waits and what is out, after every step."""
    ends = (Ack(), Fail("x"), Dead(Cause.ATTEMPTS_USED_UP, "x"), Expire(), RetryIn(1.0), RetryIn(0.0))
    for settlement in ends:
        await bench.put()
        await bench.engine.settle(await bench.take_one(), settlement)
        await _adds_up(bench)
    for envelope in [await bench.put(), await bench.put(ttl_s=0.1)][:1]:
        await bench.engine.cancel(envelope.id)
        await _adds_up(bench)
    await bench.take(2)
    await _adds_up(bench)
    await bench.pass_time(60.0)
    await bench.engine.reap()
    await _adds_up(bench)


async def _adds_up(bench: Bench) -> None:
    counts = await bench.engine.counts()
    ended = counts.delivered + counts.failed + counts.dead + counts.expired + counts.cancelled
    assert counts.admitted == ended + counts.waiting + counts.in_flight, counts


@case
async def describes_its_queues(bench: Bench) -> None:
    """Depth by level, delayed, in flight and the age of the oldest are told for each queue."""
    await bench.put(level=0)
    await bench.put(level=4)
    await bench.put(level=4)
    await bench.engine.settle(await bench.take_one(), RetryIn(60.0))
    await bench.take_one()
    await bench.pass_time(2.0)
    view = {queue.name: queue for queue in await bench.engine.queues()}["a"]
    assert (sum(view.queued), view.delayed, view.in_flight, view.paused) == (1, 1, 1, False)
    assert 1.9 <= view.oldest_s <= 2.1


@case
async def hands_out_nothing_from_a_paused_queue(bench: Bench) -> None:
    """Pausing stops hand-outs but not admission; resuming lets them go on."""
    await bench.engine.pause("a")
    await bench.put()
    assert await bench.take(1) == []
    await bench.engine.resume("a")
    assert len(await bench.take(1)) == 1


@case
async def purges_what_waits_and_nothing_else(bench: Bench) -> None:
    """Purging cancels ready and delayed messages; what is out goes on."""
    out = await bench.put()
    lease = await bench.take_one()
    await bench.put()
    delayed = bench.envelope()
    await bench.engine.put(delayed, 60.0)
    ended = await bench.engine.purge("a")
    assert len(ended) == 2
    assert {one.cause for one in ended} == {Cause.PURGED}
    assert await bench.take(5) == []
    await bench.engine.settle(lease, Ack())
    assert await bench.status(out) is Status.DELIVERED
    await _adds_up(bench)


@case
async def swaps_a_value_only_where_nobody_was_faster(bench: Bench) -> None:
    """Key/value writes go by version; a stale writer learns that it lost."""
    assert await bench.engine.read("k") is None
    assert await bench.engine.swap("k", 0, b"one") == 1
    assert await bench.engine.swap("k", 0, b"two") is None
    assert await bench.engine.read("k") == (b"one", 1)
    assert await bench.engine.swap("k", 1, b"two") == 2


@case
async def watches_a_key(bench: Bench) -> None:
    """Watching returns at once where there is a newer version already."""
    await bench.engine.swap("k", 0, b"one")
    assert await bench.engine.watch("k", 0) == (b"one", 1)
