"""The reaper: on time for what it was told of, in time for what nobody tells, and nothing it finds is dropped."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.core.routing import FallbackRule
from pointsman.model.events import Ended
from pointsman.model.outcome import Cause, Delivered, Failed, Failure
from pointsman.model.states import Status
from pointsman.ports import Reaped, Source
from pointsman.runtime.dispatcher import Guest
from tests.runtime.fleet_of import Scripted, Yard
from tests.runtime.station import Station

BROKEN = Failed(Failure.WORKER_ERROR, "broke", worker="w", sent=True)


async def test_a_message_that_expires_is_told_within_a_tick() -> None:
    """Its sender hears of it, and so does the world, though nobody has a worker."""
    station = Station()
    await station.start()
    await asyncio.sleep(0)
    began = station.clock.monotonic()
    waiter = await station.put(ttl_s=3.0)
    result = await waiter.wait(None)
    assert result is not None
    assert (result.status, result.cause) == (Status.EXPIRED, Cause.TTL)
    assert 3.0 <= station.clock.monotonic() - began <= 3.04
    assert [event.status for event in station.events if isinstance(event, Ended)] == [Status.EXPIRED]
    await station.tasks.close()


async def test_the_shortest_life_ends_though_it_is_shorter_than_a_tick() -> None:
    """A millisecond is a time to live like any other."""
    station = Station()
    await station.start()
    await asyncio.sleep(0)
    waiter = await station.put(ttl_s=0.001)
    result = await waiter.wait(0.1)
    assert result is not None
    assert result.status is Status.EXPIRED
    await station.tasks.close()


async def test_a_retry_is_handed_out_when_its_delay_is_over() -> None:
    """The dispatcher is woken for it, though nothing else happens."""
    station = Station()
    station.yard.join("w", Scripted(BROKEN, Delivered("w")))
    await station.start()
    began = station.clock.monotonic()
    waiter = await station.put()
    result = await waiter.wait(None)
    assert result is not None
    assert result.delivered
    assert station.clock.monotonic() - began == 1.0
    await station.tasks.close()


async def test_a_retry_that_becomes_ready_wakes_those_who_may_help() -> None:
    """Its own pool has gone down in the meantime: only the helper can serve it, and must be told."""
    station = Station(helped=FallbackRule(("coders",), 0.5, on_busy=False))
    home = Yard(station.clock)
    home.pool.name = "planners"
    station.dispatcher.guests = (Guest(home.pool, 0.5, on_busy=False),)
    station.yard.join("w", Scripted())
    await station.start()
    await station.put(pool="planners", tell=False)
    (lease,) = await station.engine.lease((Source("planners"),), 1)
    waiter = station.replies._waiters[lease.envelope.id]
    await station.clock.sleep(2.0)
    await station.settler.settle(lease, BROKEN)
    assert await waiter.wait(1.5) is not None
    await station.tasks.close()


@pytest.mark.parametrize(("redeliver", "end"), [("always", None), ("unsent", Status.DEAD)])
async def test_a_lease_that_nobody_holds_is_settled_as_lost(redeliver: str, end: Status | None) -> None:
    """Found although nobody tells of it, within seconds: tried again, or dead where that is forbidden."""
    station = Station(lease_s=30.0)
    await station.start()
    await station.clock.sleep(1.0)
    message = station.message(ttl_s=86_400.0)
    message.redeliver = redeliver
    await station.engine.put(message)
    (lease,) = await station.engine.lease((Source("coders"),), 1)
    station.yard.join("w", Scripted())
    await station.clock.sleep(36.0)
    await asyncio.sleep(0)
    ends = [event for event in station.events if isinstance(event, Ended)]
    assert [event.status for event in ends] == [end or Status.DELIVERED]
    assert lease.envelope.attempt == (2 if end is None else 1)
    await station.tasks.close()


async def test_an_attempt_that_goes_on_here_keeps_its_message() -> None:
    """Nobody came to renew its lease, as when the loop stood still; it ends once, with the worker's answer."""
    station = Station(lease_s=30.0)
    hold = asyncio.Event()
    worker = Scripted(hold=hold)
    station.yard.join("w", worker)
    await station.start()
    waiter = await station.put(redeliver="unsent", ttl_s=86_400.0)
    await station.clock.sleep(100.0)
    hold.set()
    result = await waiter.wait(None)
    assert result is not None
    assert (result.status, result.attempts, len(worker.sent)) == (Status.DELIVERED, 1, 1)
    assert len([event for event in station.events if isinstance(event, Ended)]) == 1
    assert (station.yard.pool.free, len(station.keeper)) == (1, 0)
    await station.tasks.close()


async def test_what_falls_due_while_it_reaps_is_not_forgotten() -> None:
    """An engine may take its time; what was expected meanwhile is not planned away by its answer."""
    station = Station()
    release = asyncio.Event()
    reap = station.engine.reap

    async def slow() -> Reaped:
        reaped = await reap()
        await release.wait()
        return reaped

    station.engine.reap = slow  # type: ignore[method-assign]
    await station.engine.open()
    reaping = asyncio.get_running_loop().create_task(station.reaper.step(station.settler))
    await asyncio.sleep(0)
    waiter = await station.put(ttl_s=1.0)
    release.set()
    await reaping
    station.tasks.supervise(lambda: station.reaper.run(station.settler), "reaper")
    assert await waiter.wait(1.1) is not None
    await station.tasks.close()


async def test_it_sleeps_while_nothing_is_due() -> None:
    """An idle router costs a look every few seconds and no more."""
    station = Station()
    reaps = 0
    reap = station.engine.reap

    async def counted() -> Reaped:
        nonlocal reaps
        reaps += 1
        return await reap()

    station.engine.reap = counted  # type: ignore[method-assign]
    await station.start()
    await station.clock.sleep(3600.0)
    assert reaps <= 721
    await station.tasks.close()


async def test_it_says_for_how_long_it_should_have_been_at_work() -> None:
    """Nothing while it keeps its times, also before it has begun; then the time that has gone by."""
    station = Station()
    assert station.reaper.overdue_s(station.clock.monotonic() + 1e6) == 0.0
    await station.start()
    for _ in range(100):
        await station.clock.sleep(1.0)
        assert station.reaper.overdue_s(station.clock.monotonic()) == 0.0
    await station.tasks.close()
    await station.clock.sleep(60.0)
    assert 55.0 <= station.reaper.overdue_s(station.clock.monotonic()) <= 60.0
