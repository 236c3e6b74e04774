"""The dispatcher: nothing is prefetched, no slot is promised twice or lost, and it looks when it must, not oftener."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from pointsman.core.routing import FallbackRule
from pointsman.model.errors import EngineUnavailable
from pointsman.model.events import AttemptStarted
from pointsman.model.message import Envelope
from pointsman.model.outcome import Accepted, Delivered, Failed, Failure
from pointsman.model.settings import BreakerSettings
from pointsman.runtime.dispatcher import Guest, guests_of
from pointsman.sim import SimClock
from pointsman.testing.make import attempt
from tests.runtime.fleet_of import Scripted, Yard
from tests.runtime.station import Station


async def test_no_more_is_taken_than_there_are_slots() -> None:
    """Five messages, three slots: three are out and two still wait where priority and fairness can reach them."""
    station = Station()
    hold = asyncio.Event()
    station.yard.join("w", Scripted(hold=hold), slots=3)
    await station.start()
    waiters = [await station.put() for _ in range(5)]
    await station.clock.sleep(1.0)
    counts = await station.engine.counts()
    assert (counts.in_flight, counts.waiting) == (3, 2)
    hold.set()
    assert all([await waiter.wait(None) for waiter in waiters])
    await station.tasks.close()


async def test_who_is_next_is_decided_at_the_last_moment() -> None:
    """A critical message that comes while the only slot is taken goes before the bulk message that was there first."""
    station = Station()
    hold = asyncio.Event()
    worker = Scripted(hold=hold)
    station.yard.join("w", worker)
    await station.start()
    waiters = [await station.put(priority="normal")]
    await station.clock.sleep(1.0)
    for priority in ("bulk", "critical"):
        waiters.append(await station.put(priority=priority))
    hold.set()
    for waiter in waiters:
        await waiter.wait(None)
    assert [attempt.envelope.level for attempt in worker.sent] == [2, 0, 4]
    await station.tasks.close()


async def test_a_slot_is_promised_once() -> None:
    """Between the hand-out and the worker the slot is not free for another message."""
    station = Station()
    station.yard.join("w", Scripted(), slots=2)
    await station.engine.open()
    for _ in range(3):
        await station.put()
    assert await station.dispatcher.step()
    assert station.yard.pool.free == 0
    assert not await station.dispatcher.step()
    counts = await station.engine.counts()
    assert (counts.in_flight, counts.waiting) == (2, 1)
    await station.tasks.close()


async def test_a_delivery_that_never_began_gives_its_promise_back() -> None:
    """Cancelled before its first step it holds neither claim nor place, and the next message is served."""
    station = Station()
    station.yard.join("w", Scripted())
    await station.engine.open()
    await station.put()
    await station.dispatcher.step()
    (attempt,) = station.running.values()
    await station.engine.cancel(f"{1:032x}")
    attempt.revoke()
    assert attempt.task is not None
    await asyncio.wait([attempt.task])
    await asyncio.sleep(0)
    assert (station.yard.pool.free, station.running) == (1, {})
    await station.start()
    waiter = await station.put()
    assert await waiter.wait(None) is not None
    await station.tasks.close()


async def test_a_delivery_can_be_found_while_it_runs() -> None:
    """By the id of its message, so that it can be cancelled; afterwards nothing is left."""
    station = Station()
    hold = asyncio.Event()
    station.yard.join("w", Scripted(hold=hold))
    await station.start()
    waiter = await station.put()
    await station.clock.sleep(1.0)
    assert list(station.running) == [f"{1:032x}"]
    hold.set()
    await waiter.wait(None)
    await asyncio.sleep(0)
    assert station.running == {}
    await station.tasks.close()


async def test_an_attempt_lasts_as_long_as_its_message_says_or_else_its_pool() -> None:
    """The pool's time-out is the default."""
    station = Station()
    worker = Scripted()
    station.yard.join("w", worker)
    station.dispatcher.timeout_s = 77.0
    await station.start()
    plain = await station.put()
    await plain.wait(None)
    own = station.message()
    own.timeout_s = 5.0
    waiter = station.replies.open(own.id)
    await station.engine.put(own)
    station.bell.ring("coders")
    await waiter.wait(None)
    assert [attempt.timeout_s for attempt in worker.sent] == [77.0, 5.0]
    started = [event for event in station.events if isinstance(event, AttemptStarted)]
    assert [(event.envelope.id, event.pool) for event in started] == [
        (f"{1:032x}", "coders"),
        (own.id, "coders"),
    ]
    await station.tasks.close()


async def test_an_engine_out_of_reach_is_asked_again_after_a_pause() -> None:
    """Twice a second, not as fast as the loop turns; when it is back, the message is served."""
    station = Station()
    station.yard.join("w", Scripted())
    await station.start()
    await asyncio.sleep(0)
    station.engine.fault = EngineUnavailable("gone")
    waiter = await station.put()
    asked = station.engine.asked
    await station.clock.sleep(10.0)
    assert 15 <= station.engine.asked - asked <= 25
    station.engine.fault = None
    assert await waiter.wait(1.0) is not None
    await station.tasks.close()


async def test_slots_that_nobody_wants_end_being_busy() -> None:
    """A pool is busy while messages wait for its slots, and no longer."""
    station = Station()
    hold = asyncio.Event()
    station.yard.join("w", Scripted(hold=hold))
    await station.start()
    waiters = [await station.put() for _ in range(2)]
    await station.clock.sleep(1.0)
    since = station.yard.pool.busy_since
    assert since is not None
    hold.set()
    for waiter in waiters:
        await waiter.wait(None)
    await asyncio.sleep(0)
    assert station.yard.pool.busy_since is None
    await station.tasks.close()


async def test_a_guest_is_served_once_its_own_pool_has_been_down_long_enough() -> None:
    """At that very time, without anybody ringing, and never where the message is strict."""
    station = Station(helped=FallbackRule(("coders",), 5.0, on_busy=False))
    home = Yard(station.clock)
    home.pool.name = "planners"
    station.dispatcher.guests = (Guest(home.pool, 5.0, on_busy=False),)
    worker = Scripted()
    station.yard.join("w", worker)
    await station.start()
    began = station.clock.monotonic()
    strict = await station.put(pool="planners", strict=True)
    waiter = await station.put(pool="planners")
    result = await waiter.wait(None)
    assert result is not None
    assert (result.pool, result.fallback, station.clock.monotonic() - began) == ("coders", True, 5.0)
    assert await strict.wait(60.0) is None
    assert len(worker.sent) == 1
    await station.tasks.close()


async def test_own_messages_come_before_guests() -> None:
    """However urgent the guest is, and however unimportant the own message."""
    station = Station(helped=FallbackRule(("coders",), 0.0, on_busy=False))
    home = Yard(station.clock)
    home.pool.name = "planners"
    station.dispatcher.guests = (Guest(home.pool, 0.0, on_busy=False),)
    worker = Scripted()
    station.yard.join("w", worker)
    await station.engine.open()
    waiters = [
        await station.put(pool="planners", priority="critical"),
        await station.put(pool="coders", priority="bulk"),
    ]
    await station.start()
    for waiter in waiters:
        await waiter.wait(None)
    assert [attempt.envelope.pool for attempt in worker.sent] == ["coders", "planners"]
    await station.tasks.close()


async def test_a_guest_may_come_when_its_pool_is_busy_only_where_that_was_said() -> None:
    """Down counts always, busy where the rule says so, and neither while the home pool can serve."""
    yard = Yard(SimClock())
    now = yard.clock.monotonic()
    assert Guest(yard.pool, 5.0, on_busy=False).opens_at() == now + 5.0
    endpoint = yard.join("w", Scripted())
    yard.pool.spare()
    assert Guest(yard.pool, 5.0, on_busy=True).opens_at() is None
    yard.pool.hold(endpoint, now + 60.0)
    assert Guest(yard.pool, 5.0, on_busy=True).opens_at() == now + 5.0
    assert Guest(yard.pool, 5.0, on_busy=False).opens_at() is None


def test_guests_are_the_pools_whose_rules_name_the_helper() -> None:
    """A pool may help several, and itself needs no rule."""
    pools = {name: object() for name in ("a", "b", "c")}
    rules = {
        "a": FallbackRule(("c",), 1.0, on_busy=False),
        "b": FallbackRule(("a", "c"), 2.0, on_busy=True),
    }
    found = guests_of("c", pools, rules)  # type: ignore[arg-type]
    assert found == (
        Guest(pools["a"], 1.0, on_busy=False),  # type: ignore[arg-type]
        Guest(pools["b"], 2.0, on_busy=True),  # type: ignore[arg-type]
    )
    assert guests_of("b", pools, rules) == ()  # type: ignore[arg-type]


async def test_a_worker_that_comes_back_by_itself_is_used_although_nothing_else_happens() -> None:
    """Its breaker opened while the dispatcher slept without a time to look again, and the only message around waits."""
    station = Station()
    station.yard.breaker = BreakerSettings(failures=1, open_s=5.0, successes=1)
    broken = Failed(Failure.MESSAGE_FAULT, "never again", worker="bad", sent=True)
    hold, blocker = asyncio.Event(), asyncio.Event()
    bad = Scripted(Failed(Failure.WORKER_ERROR, "no", worker="bad", sent=True), broken, hold=hold)
    station.yard.join("bad", bad)
    await station.start()
    first = station.message(redeliver="unsent")
    first.redeliver = "unsent"
    waiter = station.replies.open(first.id)
    await station.engine.put(first)
    station.bell.ring("coders")
    await station.clock.sleep(0.5)
    station.yard.join("good", Scripted(hold=blocker))
    busy = await station.put()
    waiting = await station.put()
    await station.clock.sleep(0.5)
    hold.set()
    assert await waiter.wait(None) is not None
    began = station.clock.monotonic()
    assert await waiting.wait(60.0) is not None
    assert 4.0 <= station.clock.monotonic() - began <= 6.0
    blocker.set()
    await busy.wait(None)
    await station.tasks.close()


@pytest.mark.parametrize("slots", [1, 64, 65, 200])
async def test_any_number_of_slots_is_filled(slots: int) -> None:
    """However many messages are leased in one step, none is left while a slot is free."""
    station = Station()
    hold = asyncio.Event()
    station.yard.join("w", Scripted(hold=hold), slots=slots)
    await station.engine.open()
    waiters = [await station.put() for _ in range(slots + 3)]
    await station.start()
    await station.clock.sleep(1.0)
    counts = await station.engine.counts()
    assert (counts.in_flight, counts.waiting) == (slots, 3)
    hold.set()
    for waiter in waiters:
        await waiter.wait(None)
    assert station.yard.pool.free == slots
    await station.tasks.close()


async def carried(station: Station, message: Envelope) -> asyncio.Task[bool]:
    """Let a sender take and carry its message, once the dispatcher rests; the task tells whether it could."""
    await station.clock.sleep(1.0)
    assert await station.engine.put(message) == Accepted(message.id)

    async def send() -> bool:
        attempt = await station.dispatcher.take(message)
        if attempt is not None:
            await station.dispatcher.carry(attempt)
        return attempt is not None

    task = asyncio.ensure_future(send())
    await station.clock.sleep(1.0)
    return task


async def test_a_sender_carries_its_own_message_where_a_slot_is_free() -> None:
    """In its own task: the dispatcher is not woken and nothing is left afterwards."""
    station = Station()
    worker = Scripted()
    station.yard.join("w", worker)
    await station.start()
    await station.clock.sleep(1.0)
    tasks = len(station.tasks)
    sender = await carried(station, station.message())
    assert await sender
    assert (len(station.tasks), station.running, station.yard.pool.free) == (tasks, {}, 1)
    assert worker.sent[0].task is sender
    assert (await station.engine.counts()).delivered == 1
    await station.tasks.close()


async def test_a_sender_takes_no_turn_that_is_not_its_own() -> None:
    """Whoever is before it is handed out instead, and it waits like any other."""
    station = Station()
    hold = asyncio.Event()
    worker = Scripted(hold=hold)
    station.yard.join("w", worker)
    await station.engine.open()
    first = await station.put(tell=False, priority="critical")
    sender = await carried(station, station.message(priority="bulk"))
    assert not await sender
    assert [attempt.envelope.level for attempt in worker.sent] == [0]
    station.tasks.supervise(station.dispatcher.run, "dispatcher")
    hold.set()
    await first.wait(None)
    await station.clock.sleep(1.0)
    assert [attempt.envelope.level for attempt in worker.sent] == [0, 4]
    await station.tasks.close()


async def test_a_slot_that_becomes_free_goes_to_whoever_waits_for_it() -> None:
    """Also when nobody waited at the dispatcher's last look, and the message was its sender's to carry."""
    station = Station()
    hold = asyncio.Event()
    worker = Scripted(hold=hold)
    station.yard.join("w", worker)
    await station.start()
    await station.clock.sleep(1.0)
    senders = [await carried(station, station.message()) for _ in range(3)]
    assert [sender.done() for sender in senders] == [False, True, True]
    hold.set()
    await station.clock.sleep(1.0)
    assert (len(worker.sent), (await station.engine.counts()).delivered) == (3, 3)
    await station.tasks.close()


async def test_ending_a_message_that_its_sender_carries_spares_the_sender() -> None:
    """What is broken off is the attempt: the sender goes on and learns the end."""
    station = Station()
    station.yard.join("w", Scripted(hold=asyncio.Event()))
    await station.start()
    sender = await carried(station, station.message())
    (attempt,) = station.running.values()
    await station.engine.cancel(attempt.envelope.id)
    attempt.revoke()
    assert await sender
    assert sender.cancelling() == 0
    assert (station.running, station.yard.pool.free) == ({}, 1)
    await station.tasks.close()


@pytest.mark.parametrize("revoked", [True, False])
async def test_a_sender_that_is_cancelled_itself_stays_cancelled(revoked: bool) -> None:
    """Also where its message was ended at the same moment."""
    station = Station()
    station.yard.join("w", Scripted(hold=asyncio.Event()))
    await station.start()
    sender = await carried(station, station.message())
    if revoked:
        next(iter(station.running.values())).revoke()
    sender.cancel()
    await asyncio.wait([sender])
    assert sender.cancelled()
    assert (station.running, station.yard.pool.free) == ({}, 1)
    await station.tasks.close()


async def test_a_message_that_is_ready_again_at_once_is_looked_for() -> None:
    """An attempt that failed and may be repeated without a pause wakes the dispatcher, though no slot was missed."""
    station = Station()
    worker = Scripted(Failed(Failure.WORKER_ERROR, "no", "w", sent=True), Delivered("w"))
    station.yard.join("w", worker)
    policy = station.settler.policies["coders"]
    station.settler.policies = {"coders": msgspec.structs.replace(policy, base_s=1e-300)}
    await station.start()
    await station.clock.sleep(1.0)
    message = station.message()
    message.expires_at = station.clock.monotonic() + 60.0
    sender = await carried(station, message)
    assert await sender
    await station.clock.sleep(5.0)
    assert (len(worker.sent), (await station.engine.counts()).delivered) == (2, 1)
    await station.tasks.close()


async def test_a_promise_that_is_void_serves_whoever_is_parked_for_a_slot() -> None:
    """Its patience was over while the only free slot was promised to another attempt, which never took it."""
    station = Station()
    station.yard.pool.patience_s = 1.0
    home = station.yard.join("a", Scripted(hold=asyncio.Event()))
    station.yard.join("b", Scripted())
    await station.engine.open()
    occupied = asyncio.ensure_future(home.deliver(attempt(at=station.clock.monotonic(), timeout_s=1e6)))
    await asyncio.sleep(0)
    station.preferred.note("coders", "someone", "talk", "a", station.clock.monotonic())
    waiter = await station.put(conversation_id="talk")
    assert await station.dispatcher.step()
    await asyncio.sleep(0)
    other = station.message()
    assert await station.engine.put(other) == Accepted(other.id)
    promised = await station.dispatcher.take(other)
    assert promised is not None
    await station.clock.sleep(5.0)
    assert waiter.result is None
    station.dispatcher._finished(promised)
    result = await waiter.wait(None)
    assert result is not None
    assert (result.delivered, result.worker) == (True, "b")
    occupied.cancel()
    await asyncio.wait([occupied])
    await station.tasks.close()
