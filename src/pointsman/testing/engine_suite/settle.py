"""How attempts and messages end."""

from __future__ import annotations

from pointsman.model.errors import LeaseLost
from pointsman.model.outcome import Ack, Cause, Dead, Expire, Fail, RetryIn
from pointsman.model.states import Status
from pointsman.testing.engine_suite.bench import Bench, case, error_of


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
async def refuses_a_late_settlement(bench: Bench) -> None:
    """A settlement under a lease that was superseded changes nothing."""
    envelope = await bench.put()
    old = await bench.take_one()
    await bench.engine.settle(old, RetryIn(0.0))
    new = await bench.take_one()
    await error_of(LeaseLost, bench.engine.settle(old, Ack()))
    assert await bench.status(envelope) is Status.LEASED
    await bench.engine.settle(new, Ack())
    assert await bench.status(envelope) is Status.DELIVERED


@case
async def refuses_to_settle_twice(bench: Bench) -> None:
    """The second settlement of one lease is refused, whatever it says."""
    await bench.put()
    lease = await bench.take_one()
    await bench.engine.settle(lease, Ack())
    await error_of(LeaseLost, bench.engine.settle(lease, Dead(Cause.ATTEMPTS_USED_UP, "late")))
    counts = await bench.engine.counts()
    assert (counts.delivered, counts.dead) == (1, 0)


@case
async def settles_what_is_out_while_it_is_closed(bench: Bench) -> None:
    """Closing stops what is new; what a worker has done still counts."""
    envelope = await bench.put()
    lease = await bench.take_one()
    await bench.engine.close()
    await bench.engine.settle(lease, Ack())
    assert await bench.status(envelope) is Status.DELIVERED
    await bench.engine.open()


@case
async def leaves_no_dead_letter_for_a_delivered_message(bench: Bench) -> None:
    """There is nothing to look into and nothing to replay."""
    envelope = await bench.put()
    await bench.engine.settle(await bench.take_one(), Ack())
    assert await bench.engine.dead_letter(envelope.id) is None
    assert await bench.engine.dead_letters() == []
