"""The bare router: every caller gets exactly one answer, whatever happens meanwhile, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from pointsman.embedded import Router
from pointsman.model.errors import Conflict, NotFound
from pointsman.model.message import Envelope, Message
from pointsman.model.outcome import Cause, Refusal, Refused
from pointsman.model.result import Result
from pointsman.model.settings import EngineSettings, PoolSettings, RetrySettings, Settings
from pointsman.model.states import Status
from pointsman.router import RouterCore
from pointsman.sim import SimClock


class Worker:
    """Takes a number of seconds, and fails as often as told."""

    def __init__(self, takes_s: float = 0.0, failures: int = 0) -> None:
        self.takes_s = takes_s
        self.failures = failures
        self.seen: list[str] = []

    async def __call__(self, work: Mapping[str, Any]) -> str:
        self.seen.append(str(work["text"]))
        await asyncio.sleep(self.takes_s)
        if len(self.seen) <= self.failures:
            raise ConnectionError("not today")
        return f"did {work['text']}"


def router(worker: Worker, **sections: Any) -> Router:
    """Return a router with one worker for `coders`."""
    return Router(Settings(**sections), workers={"coders": {"w": worker}}, clock=SimClock())


def wrap(of: Router, text: str = "x", **fields: Any) -> Envelope:
    """Return an envelope for the class that `coders` serve."""
    return of.house.envelopes.wrap(Message(text=text, class_="tactical", **fields))


def at_rest(of: Router) -> None:
    """Assert that nobody waits, nothing runs and every slot is free."""
    house = of.house
    assert (len(house.replies), house.running, len(house.keeper)) == (0, {}, 0)
    for pool in house.pools.values():
        assert pool.free == pool.slots
        assert all(endpoint.load.in_flight == 0 for endpoint in pool)


async def test_before_it_is_assembled_it_takes_nothing() -> None:
    """A core without an admission stack refuses, retryable, instead of breaking."""
    of = router(Worker())
    house = of.house
    bare = RouterCore(house.engine, house.replies, house.settler, house.clock, {}, {}, lambda: None)
    refused = await bare.send(wrap(of), None)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.retryable) == (Refusal.UNAVAILABLE, True)


async def test_a_refused_sender_leaves_nothing_behind() -> None:
    """Neither waiter nor message."""
    async with router(Worker()) as of:
        for _ in range(10):
            assert isinstance(await of.house.core.send(wrap(of, priority="urgent"), None), Refused)
        assert (await of.counts()).admitted == 0
        at_rest(of)


async def test_a_sender_that_does_not_wait_at_all_gets_the_id_at_once() -> None:
    """`wait_s` of 0: the message goes on, and its reply can be fetched."""
    worker = Worker(5.0)
    async with router(worker) as of:
        early = await of.house.core.send(wrap(of), 0.0)
        assert isinstance(early, Result)
        assert early.status in {Status.QUEUED, Status.LEASED}
        await asyncio.sleep(6.0)
        late = await of.result(early.id)
        assert (late.status, late.text) == (Status.DELIVERED, "did x")
        at_rest(of)


@pytest.mark.parametrize("wait_s", [5.0, 5.0000001, 4.9999999])
async def test_an_end_at_the_very_instant_at_which_the_wait_is_over(wait_s: float) -> None:
    """The sender gets the end or the id, and if the id, then the reply can be fetched: it is never between the two."""
    async with router(Worker(5.0)) as of:
        result = await of.house.core.send(wrap(of), wait_s)
        assert isinstance(result, Result)
        await asyncio.sleep(1.0)
        if not result.ended:
            result = await of.result(result.id)
        assert result.text == "did x"
        at_rest(of)


@pytest.mark.parametrize("after_s", [0.0, 1.0])
async def test_a_sender_that_goes_takes_its_message_with_it(after_s: float) -> None:
    """Queued or at the worker: it ends as cancelled, the worker's call is cancelled, the slot is free."""
    async with router(Worker(1e6)) as of:
        sender = asyncio.ensure_future(of.house.core.send(wrap(of), None))
        await asyncio.sleep(after_s)
        sender.cancel()
        await asyncio.wait([sender])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert sender.cancelled()
        assert (await of.counts()).cancelled == 1
        at_rest(of)


async def test_a_sender_that_goes_at_the_very_instant_of_the_end_leaves_nothing() -> None:
    """Delivered or cancelled, once, and no slot, waiter or message is left."""
    async with router(Worker(5.0)) as of:
        sender = asyncio.ensure_future(of.house.core.send(wrap(of), None))
        asyncio.get_running_loop().call_later(5.0, sender.cancel)
        await asyncio.wait([sender])
        await asyncio.sleep(0)
        counts = await of.counts()
        assert counts.delivered + counts.cancelled == counts.admitted == 1
        at_rest(of)


async def test_a_message_can_be_cancelled_wherever_it_is() -> None:
    """In its queue, at its worker, between two attempts; its sender is told, and the second time there is nothing."""
    pools = {"planners": PoolSettings(), "coders": PoolSettings(retry=RetrySettings(base_s=20.0))}
    worker = Worker(10.0, failures=1)
    async with router(worker, pools=pools) as of:
        first = wrap(of, "first", timeout_s=100.0)
        senders = [asyncio.ensure_future(of.house.core.send(first, None))]
        await asyncio.sleep(11.0)
        assert (await of.result(first.id)).status is Status.DELAYED
        held = [wrap(of, f"held {number}") for number in range(4)]
        waiting = wrap(of, "waiting")
        for envelope in (*held, waiting):
            senders.append(asyncio.ensure_future(of.house.core.send(envelope, None)))
        await asyncio.sleep(1.0)
        states = [(await of.result(envelope.id)).status for envelope in (held[0], waiting)]
        assert states == [Status.LEASED, Status.QUEUED]
        for envelope in (first, *held, waiting):
            assert await of.cancel(envelope.id)
            assert not await of.cancel(envelope.id)
        for sender in senders:
            result = await sender
            assert isinstance(result, Result)
            assert (result.status, result.cause) == (Status.CANCELLED, Cause.SENDER)
        await asyncio.sleep(0)
        assert (await of.counts()).cancelled == 6
        at_rest(of)


async def test_a_purged_sender_is_told_so() -> None:
    """What waits is cancelled with that cause, what is out goes on."""
    async with router(Worker(10.0)) as of:
        senders = [asyncio.ensure_future(of.house.core.send(wrap(of, f"{number}"), None)) for number in range(6)]
        await asyncio.sleep(1.0)
        assert await of.house.core.purge("coders") == 2
        results = await asyncio.gather(*senders)
        assert [result.cause for result in results if isinstance(result, Result)].count(Cause.PURGED) == 2
        assert (await of.counts()).delivered == 4
        at_rest(of)


async def test_whoever_is_cancelled_by_a_stop_is_told_so() -> None:
    """It was not the sender who cancelled, and the record must not say it was."""
    of = router(Worker(1e6))
    await of.start()
    senders = [asyncio.ensure_future(of.house.core.send(wrap(of, f"{number}", ttl_s=1e5), None)) for number in range(6)]
    await asyncio.sleep(1.0)
    assert not await of.stop(0.0)
    for sender in senders:
        result = await sender
        assert isinstance(result, Result)
        assert (result.status, result.cause) == (Status.CANCELLED, Cause.SHUTDOWN)
        assert "stopped" in result.detail
    at_rest(of)


async def test_a_drain_waits_for_retries_that_are_delayed() -> None:
    """A message between two attempts is in hand like any other."""
    pools = {"planners": PoolSettings(), "coders": PoolSettings(retry=RetrySettings(base_s=4.0, jitter_share=0.0))}
    of = router(Worker(1.0, failures=1), pools=pools)
    await of.start()
    sender = asyncio.ensure_future(of.house.core.send(wrap(of), None))
    await asyncio.sleep(2.0)
    assert await of.stop(10.0)
    result = await sender
    assert isinstance(result, Result)
    assert (result.text, result.attempts) == ("did x", 2)


async def test_a_paused_queue_does_not_hold_up_a_stop() -> None:
    """What waits there is waited for as long as anything, and then cancelled like anything."""
    of = router(Worker())
    await of.start()
    await of.house.engine.pause("coders")
    sender = asyncio.ensure_future(of.house.core.send(wrap(of), None))
    await asyncio.sleep(1.0)
    began = asyncio.get_running_loop().time()
    assert not await of.stop(5.0)
    assert 5.0 <= asyncio.get_running_loop().time() - began < 5.1
    result = await sender
    assert isinstance(result, Result)
    assert result.cause is Cause.SHUTDOWN


async def test_a_stop_that_is_cancelled_still_leaves_nobody_waiting() -> None:
    """It no longer drains; every sender gets its answer and every task ends."""
    of = router(Worker(1e6))
    await of.start()
    sender = asyncio.ensure_future(of.house.core.send(wrap(of), None))
    await asyncio.sleep(1.0)
    stopping = asyncio.ensure_future(of.stop(1000.0))
    await asyncio.sleep(1.0)
    stopping.cancel()
    await asyncio.wait([stopping])
    assert stopping.cancelled()
    result = await sender
    assert isinstance(result, Result)
    assert result.cause is Cause.SHUTDOWN
    assert len(of.house.tasks) == 0
    at_rest(of)


async def test_an_unknown_message_is_not_found() -> None:
    """For looking up as for replaying; cancelling it finds nothing to cancel."""
    async with router(Worker()) as of:
        core = of.house.core
        with pytest.raises(NotFound, match="there is no message"):
            await core.result("f" * 32)
        with pytest.raises(NotFound, match="there is no dead letter"):
            await core.replay("f" * 32, lambda old: old)
        assert not await core.cancel("f" * 32)


async def test_an_end_is_remembered_within_bounds() -> None:
    """An ended message can be looked up until too many have ended after it."""
    engine = EngineSettings(keep_ended=3)
    async with router(Worker(), engine=engine) as of:
        ids = []
        for number in range(5):
            result = await of.house.core.send(wrap(of, f"{number}"), None)
            assert isinstance(result, Result)
            ids.append(result.id)
        for message_id in ids[:2]:
            with pytest.raises(NotFound, match="ended too long ago"):
                await of.result(message_id)
        assert [(await of.result(message_id)).status for message_id in ids[2:]] == [Status.DELIVERED] * 3


async def dead(of: Router, worker: Worker) -> str:
    """Send a message that ends dead; return its id."""
    worker.failures = len(worker.seen) + 1
    result = await of.house.core.send(wrap(of, redeliver="never"), None)
    assert isinstance(result, Result)
    assert result.status is Status.DEAD
    return result.id


async def test_a_letter_is_replayed_once() -> None:
    """Afterwards it is gone, and the error says why; while it is being replayed a second replay would run it twice."""
    worker = Worker()
    async with router(worker) as of:
        letter = await dead(of, worker)
        worker.takes_s = 10.0
        first = asyncio.ensure_future(of.replay(letter))
        await asyncio.sleep(1.0)
        with pytest.raises(Conflict, match="being replayed"):
            await of.replay(letter)
        result = await first
        assert isinstance(result, Result)
        assert result.text == "did x"
        with pytest.raises(NotFound, match="replayed or dropped"):
            await of.replay(letter)
        assert len(worker.seen) == 2


async def test_a_letter_survives_a_replay_that_came_to_nothing() -> None:
    """Refused or cancelled: it can be tried again. Ended badly: there is a new letter in its place."""
    worker = Worker()
    async with router(worker) as of:
        letter = await dead(of, worker)
        worker.takes_s = 10.0
        replaying = asyncio.ensure_future(of.replay(letter))
        await asyncio.sleep(1.0)
        replaying.cancel()
        await asyncio.wait([replaying])
        assert await of.house.engine.dead_letter(letter) is not None
        replaying = asyncio.ensure_future(of.replay(letter))
        await asyncio.sleep(1.0)
        (again,) = of.house.running
        await of.cancel(again)
        result = await replaying
        assert isinstance(result, Result)
        assert result.status is Status.CANCELLED
        assert await of.house.engine.dead_letter(letter) is not None
        of.house.doors_open = False
        assert isinstance(await of.replay(letter), Refused)
        assert await of.house.engine.dead_letter(letter) is not None
        of.house.doors_open = True
        worker.takes_s, worker.failures = 0.0, len(worker.seen) + 1
        result = await of.replay(letter)
        assert isinstance(result, Result)
        assert result.status is Status.DEAD
        letters = await of.house.engine.dead_letters()
        assert [one.envelope.id for one in letters] == [result.id]
        assert letters[0].envelope.replay_of == letter


@pytest.mark.parametrize("status", ["leased", "delivered", "cancelled"])
async def test_what_is_no_dead_letter_cannot_be_replayed(status: str) -> None:
    """It has not ended, or not badly: a conflict that says how things are."""
    async with router(Worker(10.0)) as of:
        message = wrap(of)
        sender = asyncio.ensure_future(of.house.core.send(message, None))
        await asyncio.sleep(1.0)
        if status == "cancelled":
            await of.cancel(message.id)
        if status == "delivered":
            await sender
        with pytest.raises(Conflict, match=f"is {status}"):
            await of.replay(message.id)
        await sender
