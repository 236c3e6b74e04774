"""What is handed out, in which order, to whom."""

from __future__ import annotations

from pointsman.model.errors import EngineUnavailable
from pointsman.model.outcome import Ack, RetryIn
from pointsman.model.states import Status
from pointsman.ports import Source
from pointsman.testing.engine_suite.bench import Bench, case, error_of


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
async def raises_the_number_of_the_attempt(bench: Bench) -> None:
    """Each hand-out has a higher number than the one before, however it was returned."""
    await bench.put()
    numbers = []
    for delay_s in (0.0, 1.0, 0.0):
        lease = await bench.take_one()
        numbers.append(lease.attempt)
        await bench.engine.settle(lease, RetryIn(delay_s))
        await bench.pass_time(delay_s + 0.1)
        await bench.engine.reap()
    assert numbers == [1, 2, 3]


@case
async def hands_out_nothing_whose_time_is_over(bench: Bench) -> None:
    """At the very end of its time to live a message is not handed out any more, reaped or not."""
    await bench.put(ttl_s=1.0)
    lasting = await bench.put(ttl_s=60.0)
    await bench.pass_time(1.0)
    assert [lease.envelope.id for lease in await bench.take(5)] == [lasting.id]


@case
async def hands_out_nothing_while_it_is_closed(bench: Bench) -> None:
    """What waits goes on waiting."""
    envelope = await bench.put()
    await bench.engine.close()
    await error_of(EngineUnavailable, bench.take(1))
    assert await bench.status(envelope) is Status.QUEUED
    await bench.engine.open()
    assert (await bench.take_one()).envelope.id == envelope.id
