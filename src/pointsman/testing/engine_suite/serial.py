"""Messages that share a serial key: one at a time, in the order of their arrival."""

from __future__ import annotations

from pointsman.model.outcome import Ack, Cause, Dead, Expire, Fail, RetryIn, Settlement
from pointsman.model.states import Status
from pointsman.ports import Lease, Source
from pointsman.testing.engine_suite.bench import LEASE_S, MAX_QUEUED, Bench, adds_up, case


async def _ids(bench: Bench, want: int = 9) -> list[str]:
    return [lease.envelope.id for lease in await bench.take(want)]


@case
async def hands_out_one_message_of_a_key_at_a_time(bench: Bench) -> None:
    """The second waits until the first has ended; other keys, and messages without one, do not."""
    first = await bench.put(serial_key="k")
    second = await bench.put(serial_key="k")
    other = await bench.put(serial_key="j")
    plain = await bench.put()
    leases = await bench.take(9)
    assert [lease.envelope.id for lease in leases] == [first.id, other.id, plain.id]
    assert await bench.status(second) is Status.QUEUED
    await bench.engine.settle(leases[0], Ack())
    assert await _ids(bench) == [second.id]


@case
async def lets_the_next_of_a_key_follow_however_the_first_ends(bench: Bench) -> None:
    """Delivered, failed, dead, expired: the turn is over."""
    ends: tuple[Settlement, ...] = (Ack(), Fail("wrong"), Dead(Cause.ATTEMPTS_USED_UP, "used up"), Expire())
    sent = [await bench.put(serial_key="k") for _ in range(len(ends) + 1)]
    for envelope, end in zip(sent, ends, strict=False):
        lease = await bench.take_one()
        assert lease.envelope.id == envelope.id
        assert await bench.take(9) == []
        await bench.engine.settle(lease, end)
    assert await _ids(bench) == [sent[-1].id]
    await adds_up(bench)


@case
async def keeps_the_turn_of_a_key_over_retries(bench: Bench) -> None:
    """A message that is to be tried again, at once or later, is not overtaken by the next of its key."""
    first = await bench.put(serial_key="k")
    await bench.put(serial_key="k")
    await bench.engine.settle(await bench.take_one(), RetryIn(0.0))
    lease = await bench.take_one()
    assert lease.envelope.id == first.id
    await bench.engine.settle(lease, RetryIn(5.0))
    assert await bench.take(9) == []
    await bench.pass_time(5.1)
    await bench.engine.reap()
    assert await _ids(bench) == [first.id]


@case
async def keeps_the_turn_of_a_key_when_a_lease_is_lost(bench: Bench) -> None:
    """Its message may still be worked on, so the next of its key waits for the settlement."""
    first = await bench.put(serial_key="k")
    second = await bench.put(serial_key="k")
    await bench.take_one()
    await bench.pass_time(LEASE_S + 1.0)
    (lost,) = (await bench.engine.reap()).lost
    assert lost.envelope.id == first.id
    assert await bench.take(9) == []
    await bench.engine.settle(lost, Dead(Cause.OUTCOME_UNKNOWN, "lost"))
    assert await _ids(bench) == [second.id]


@case
async def keeps_the_order_of_a_key_across_priorities(bench: Bench) -> None:
    """What came later waits, however urgent it is: within a key, order comes first."""
    sent = [await bench.put(serial_key="k", level=level) for level in (4, 0, 2)]
    got = []
    for _ in sent:
        lease = await bench.take_one()
        got.append(lease.envelope.id)
        await bench.engine.settle(lease, Ack())
    assert got == [envelope.id for envelope in sent]


@case
async def knows_a_key_in_one_queue_only(bench: Bench) -> None:
    """The same key in another queue is another key."""
    await bench.put(serial_key="k", queue="a")
    await bench.put(serial_key="k", queue="b")
    assert len(await bench.engine.lease((Source("a"), Source("b")), 9)) == 2


@case
async def expires_what_a_key_holds_back(bench: Bench) -> None:
    """Its time runs while it waits for the one before it; the one after it is not lost."""
    lease, hurried, lasting = await _held(bench)
    due = (await bench.engine.reap()).next_due
    assert due is not None
    assert due <= bench.clock.monotonic() + 2.1
    await bench.pass_time(2.1)
    ended = (await bench.engine.reap()).ended
    assert [(one.envelope.id, one.status) for one in ended] == [(hurried, Status.EXPIRED)]
    assert (await bench.engine.reap()).ended == []
    await bench.engine.settle(lease, Ack())
    assert await _ids(bench) == [lasting]
    await adds_up(bench)


async def _held(bench: Bench) -> tuple[Lease, str, str]:
    """Put three messages of a key, the second with 2 s to live; return the first one's lease and the others' ids."""
    await bench.put(serial_key="k")
    hurried = await bench.put(serial_key="k", ttl_s=2.0)
    lasting = await bench.put(serial_key="k")
    return await bench.take_one(), hurried.id, lasting.id


@case
async def hands_out_nothing_held_back_whose_time_is_over(bench: Bench) -> None:
    """Not even where nobody has reaped it yet when its turn comes."""
    lease, hurried, lasting = await _held(bench)
    await bench.pass_time(2.0)
    await bench.engine.settle(lease, Ack())
    assert await bench.take(9) == []
    await bench.pass_time(0.1)
    assert [one.envelope.id for one in (await bench.engine.reap()).ended] == [hurried]
    assert await _ids(bench) == [lasting]


@case
async def frees_a_key_whose_first_expires(bench: Bench) -> None:
    """While it waits, and while it is delayed."""
    await bench.put(serial_key="k", ttl_s=1.0)
    await bench.put(serial_key="k", ttl_s=3.0)
    await bench.put(serial_key="k")
    await bench.pass_time(1.1)
    assert len((await bench.engine.reap()).ended) == 1
    await bench.engine.settle(await bench.take_one(), RetryIn(60.0))
    await bench.pass_time(2.0)
    assert len((await bench.engine.reap()).ended) == 1
    assert len(await bench.take(9)) == 1


@case
async def frees_a_key_whose_first_is_cancelled(bench: Bench) -> None:
    """While it waits, while it is out, and while it is delayed."""
    sent = [await bench.put(serial_key="k") for _ in range(4)]
    await bench.engine.cancel(sent[0].id)
    await bench.take_one()
    await bench.engine.cancel(sent[1].id)
    await bench.engine.settle(await bench.take_one(), RetryIn(60.0))
    await bench.engine.cancel(sent[2].id)
    assert await _ids(bench) == [sent[3].id]
    await adds_up(bench)


@case
async def cancels_what_a_key_holds_back(bench: Bench) -> None:
    """It never has its turn; the order of the others stays."""
    sent = [await bench.put(serial_key="k") for _ in range(3)]
    lease = await bench.take_one()
    ended = await bench.engine.cancel(sent[1].id)
    assert ended is not None
    assert ended.status is Status.CANCELLED
    await bench.engine.settle(lease, Ack())
    assert await _ids(bench) == [sent[2].id]


@case
async def purges_what_a_key_holds_back(bench: Bench) -> None:
    """With everything else that waits; the key is free for what comes later, once what is out has ended."""
    await bench.put(serial_key="k")
    lease = await bench.take_one()
    for key in ("k", "k", "j", "j"):
        await bench.put(serial_key=key)
    assert len(await bench.engine.purge("a")) == 4
    assert await bench.take(9) == []
    later = await bench.put(serial_key="k")
    other = await bench.put(serial_key="j")
    assert await _ids(bench) == [other.id]
    await bench.engine.settle(lease, Ack())
    assert await _ids(bench) == [later.id]
    await adds_up(bench)


@case
async def hands_out_nothing_of_a_key_while_its_queue_is_paused(bench: Bench) -> None:
    """A turn that comes meanwhile waits for the queue."""
    await bench.put(serial_key="k")
    second = await bench.put(serial_key="k")
    lease = await bench.take_one()
    await bench.engine.pause("a")
    await bench.engine.settle(lease, Ack())
    assert await bench.take(9) == []
    await bench.engine.resume("a")
    assert await _ids(bench) == [second.id]


@case
async def counts_what_a_key_holds_back_as_waiting(bench: Bench) -> None:
    """In the accounts, in the view of the queue by level, with its age, and against the bound on what may wait."""
    await bench.put(serial_key="k")
    await bench.take_one()
    await bench.put(serial_key="k", level=1)
    await bench.put(serial_key="k", level=3)
    await bench.pass_time(5.0)
    counts = await bench.engine.counts()
    assert (counts.waiting, counts.in_flight) == (2, 1)
    view = next(view for view in await bench.engine.queues() if view.name == "a")
    assert (view.queued, view.in_flight) == ((0, 1, 0, 1, 0), 1)
    assert view.oldest_s >= 5.0
    for _ in range(MAX_QUEUED - 2):
        await bench.put(serial_key="k")
    refused = await bench.engine.put(bench.envelope(serial_key="k"))
    assert getattr(refused, "reason", None) == "queue_full"


@case
async def lets_a_delayed_message_of_a_key_arrive_when_its_delay_is_over(bench: Bench) -> None:
    """Until then it holds nobody back; from then on it waits its turn like any other."""
    delayed = bench.envelope(serial_key="k")
    await bench.engine.put(delayed, 5.0)
    sooner = await bench.put(serial_key="k")
    lease = await bench.take_one()
    assert lease.envelope.id == sooner.id
    await bench.pass_time(5.1)
    await bench.engine.reap()
    assert await bench.take(9) == []
    await bench.engine.settle(lease, Ack())
    assert await _ids(bench) == [delayed.id]
