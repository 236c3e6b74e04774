"""Accounts, listings, dead letters, paused queues."""

from __future__ import annotations

from pointsman.model.outcome import Ack, Cause, Dead, Expire, Fail, RetryIn
from pointsman.model.states import Status
from pointsman.testing.engine_suite.bench import Bench, adds_up, case


@case
async def keeps_its_accounts(bench: Bench) -> None:
    """Admitted is the sum of the five ends, what waits and what is out, after every step."""
    ends = (Ack(), Fail("x"), Dead(Cause.ATTEMPTS_USED_UP, "x"), Expire(), RetryIn(1.0), RetryIn(0.0))
    for settlement in ends:
        await bench.put()
        await bench.engine.settle(await bench.take_one(), settlement)
        await adds_up(bench)
    cancelled = await bench.put()
    await bench.put(ttl_s=0.1)
    await bench.engine.cancel(cancelled.id)
    await adds_up(bench)
    await bench.take(2)
    await adds_up(bench)
    await bench.pass_time(60.0)
    await bench.engine.reap()
    await adds_up(bench)


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
async def hands_out_nothing_from_a_paused_queue(bench: Bench) -> None:
    """Pausing stops hand-outs but not admission; resuming lets them go on."""
    await bench.engine.pause("a")
    await bench.put()
    assert await bench.take(1) == []
    await bench.engine.resume("a")
    assert len(await bench.take(1)) == 1


@case
async def tells_where_a_live_message_is(bench: Bench) -> None:
    """Queued, leased, delayed; and nothing any more once it has ended, neither status nor envelope."""
    envelope = await bench.put()
    assert bench.engine.envelope(envelope.id) is envelope
    seen = [bench.engine.status(envelope.id)]
    lease = await bench.take_one()
    seen.append(bench.engine.status(envelope.id))
    await bench.engine.settle(lease, RetryIn(60.0))
    seen.append(bench.engine.status(envelope.id))
    await bench.engine.cancel(envelope.id)
    assert seen == [Status.QUEUED, Status.LEASED, Status.DELAYED]
    assert (bench.engine.status(envelope.id), bench.engine.envelope(envelope.id)) == (None, None)


@case
async def finds_nothing_where_nothing_is_asked_for(bench: Bench) -> None:
    """A limit of 0 is an empty list, not everything."""
    await bench.put()
    await bench.engine.settle(await bench.take_one(), Fail("no"))
    await bench.put()
    assert await bench.engine.find(limit=0) == []
    assert await bench.engine.dead_letters(limit=0) == []
