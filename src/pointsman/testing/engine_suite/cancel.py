"""Ending messages from outside, one by one or a whole queue."""

from __future__ import annotations

from pointsman.model.errors import LeaseLost
from pointsman.model.outcome import Ack, Cause, RetryIn
from pointsman.model.states import Status
from pointsman.testing.engine_suite.bench import Bench, adds_up, case, error_of


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
    await error_of(LeaseLost, bench.engine.settle(lease, Ack()))
    assert await bench.status(envelope) is Status.CANCELLED


@case
async def leaves_no_dead_letter_for_a_cancelled_message(bench: Bench) -> None:
    """Whoever cancels needs no dead letter."""
    envelope = await bench.put()
    await bench.engine.cancel(envelope.id)
    assert await bench.engine.dead_letter(envelope.id) is None


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
    await adds_up(bench)


@case
async def says_why_a_message_was_cancelled(bench: Bench) -> None:
    """The cause that was given is the one that is told and remembered, with words of its own."""
    details = set()
    for cause in (Cause.SENDER, Cause.PURGED, Cause.SHUTDOWN):
        envelope = await bench.put()
        ended = await bench.engine.cancel(envelope.id, cause)
        view = await bench.engine.get(envelope.id)
        assert ended is not None
        assert view is not None
        assert (ended.cause, view.cause) == (cause, cause)
        details.add(ended.detail)
    assert len(details) == 3


@case
async def cancels_nothing_that_has_ended(bench: Bench) -> None:
    """An end cannot be undone."""
    envelope = await bench.put()
    await bench.engine.settle(await bench.take_one(), Ack())
    assert await bench.engine.cancel(envelope.id) is None
    assert await bench.status(envelope) is Status.DELIVERED
