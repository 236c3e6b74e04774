"""What time does: expiry, and when it is worth looking."""

from __future__ import annotations

from pointsman.model.outcome import Ack, Cause, RetryIn
from pointsman.model.states import Status
from pointsman.testing.engine_suite.bench import Bench, case


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
async def expires_a_delayed_message_at_the_very_end_of_its_time(bench: Bench) -> None:
    """A delay that ends with the time to live ends the message: it is neither ready nor forgotten."""
    envelope = await bench.put(ttl_s=2.0)
    await bench.engine.settle(await bench.take_one(), RetryIn(2.0))
    await bench.clock.sleep_until(envelope.expires_at)
    reaped = await bench.engine.reap()
    assert ([one.envelope.id for one in reaped.ended], reaped.ready) == ([envelope.id], [])


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
async def readies_only_what_is_due(bench: Bench) -> None:
    """Of two delayed messages the one whose delay is over becomes ready; the other one goes on waiting."""
    for delay_s in (1.0, 5.0):
        await bench.put()
        await bench.engine.settle(await bench.take_one(), RetryIn(delay_s))
    await bench.pass_time(1.1)
    assert (await bench.engine.reap()).ready == ["a"]
    assert [lease.envelope.id for lease in await bench.take(5)] == [f"{1:032x}"]
    assert (await bench.engine.reap()).ready == []


@case
async def says_when_a_delay_is_over(bench: Bench) -> None:
    """`next_due` is no later than the end of the first delay, and reaping then makes it ready."""
    await bench.put()
    await bench.engine.settle(await bench.take_one(), RetryIn(2.0))
    due = (await bench.engine.reap()).next_due
    assert due is not None
    assert due <= bench.clock.monotonic() + 2.0
    await bench.clock.sleep_until(due)
    assert (await bench.engine.reap()).ready == ["a"]
