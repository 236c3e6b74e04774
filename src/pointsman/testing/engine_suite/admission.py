"""Taking messages in, and saying no."""

from __future__ import annotations

from pointsman.model.errors import EngineUnavailable, NotFound, UsageError
from pointsman.model.outcome import Accepted, Ack, Refusal, Refused
from pointsman.model.states import Status
from pointsman.testing.engine_suite.bench import MAX_QUEUED, Bench, case, error_of


@case
async def accepts_a_message_and_reports_it_as_queued(bench: Bench) -> None:
    """A message that was put is queued, under the id it came with."""
    envelope = await bench.put()
    assert await bench.status(envelope) is Status.QUEUED


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
async def names_an_unknown_queue(bench: Bench) -> None:
    """A queue that does not exist is an error that says which exist."""
    error = await error_of(NotFound, bench.take(1, "nowhere"))
    assert "nowhere" in str(error)


@case
async def knows_nothing_of_an_unknown_id(bench: Bench) -> None:
    """Unknown ids are None, not errors."""
    unknown = "f" * 32
    assert await bench.engine.get(unknown) is None
    assert await bench.engine.cancel(unknown) is None
    assert await bench.engine.dead_letter(unknown) is None
    assert bench.engine.envelope(unknown) is None


@case
async def counts_only_what_waits_against_its_bound(bench: Bench) -> None:
    """A message that is out leaves room for another one."""
    for _ in range(MAX_QUEUED):
        await bench.put()
    await bench.take(10)
    for _ in range(10):
        await bench.put()
    assert isinstance(await bench.engine.put(bench.envelope()), Refused)


@case
async def keeps_nothing_of_a_message_for_an_unknown_queue(bench: Bench) -> None:
    """It is an error that says which queues there are, and nothing has been admitted."""
    envelope = bench.envelope(queue="nowhere")
    error = await error_of(NotFound, bench.engine.put(envelope))
    assert "nowhere" in str(error)
    assert await bench.status(envelope) is None
    assert (await bench.engine.counts()).admitted == 0


@case
async def holds_one_message_under_one_id(bench: Bench) -> None:
    """Putting a message again while it has not ended is an error, and the first one goes on."""
    envelope = await bench.put()
    await error_of(UsageError, bench.engine.put(envelope))
    await bench.engine.settle(await bench.take_one(), Ack())
    counts = await bench.engine.counts()
    assert (counts.admitted, counts.delivered, counts.waiting) == (1, 1, 0)


@case
async def takes_nothing_while_it_is_closed(bench: Bench) -> None:
    """Closed twice it is still closed; opened again it goes on with what it holds."""
    waiting = await bench.put()
    await bench.engine.close()
    await bench.engine.close()
    late = bench.envelope()
    await error_of(EngineUnavailable, bench.engine.put(late))
    assert await bench.status(late) is None
    await bench.engine.open()
    assert await bench.engine.put(late) == Accepted(late.id)
    assert await bench.status(waiting) is Status.QUEUED
