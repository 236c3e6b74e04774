"""Pools: free slots are counted right through every change, and the pool knows since when it is down or busy."""

from __future__ import annotations

import asyncio
import random
from math import inf

import pytest

from pointsman.core.balance import BALANCERS
from pointsman.core.suitable import Need
from pointsman.model.errors import Conflict, NotFound
from pointsman.model.events import BreakerMoved, WorkerJoined, WorkerLeft
from pointsman.model.outcome import Delivered, Failed, Failure
from pointsman.model.settings import BreakerSettings
from pointsman.runtime.endpoint import Endpoint
from pointsman.sim import SimClock
from pointsman.testing.make import attempt
from tests.runtime.fleet_of import Scripted, Yard

BROKEN = Failed(Failure.WORKER_ERROR, "no", worker="w", sent=True)


async def test_a_new_pool_is_down_until_a_worker_joins() -> None:
    """Down and busy since it was made; up as soon as one worker may be called, idle once nobody wants its slots."""
    yard = Yard(SimClock())
    assert yard.pool.down_since == yard.clock.monotonic()
    yard.join("w", Scripted(), slots=3)
    assert yard.pool.down_since is None
    assert yard.pool.busy_since == yard.clock.monotonic()
    yard.pool.spare()
    assert yard.pool.busy_since is None
    assert (yard.pool.free, yard.pool.slots) == (3, 3)
    assert yard.wakes > 0
    assert isinstance(yard.events[0], WorkerJoined)


async def test_an_id_is_taken_once() -> None:
    """A second worker of the same id is a conflict and changes nothing."""
    yard = Yard(SimClock())
    yard.join("w", Scripted())
    with pytest.raises(Conflict, match="'w'"):
        yard.join("w", Scripted())
    assert yard.pool.free == 1


async def test_an_unknown_worker_is_named() -> None:
    """The error says who is known."""
    yard = Yard(SimClock())
    yard.join("w", Scripted())
    with pytest.raises(NotFound, match=r"'x'.*known: w"):
        yard.pool.endpoint("x")


async def test_a_claim_counts_until_it_is_kept() -> None:
    """A promised slot is not free."""
    yard = Yard(SimClock())
    yard.join("w", Scripted(), slots=2)
    yard.pool.claim()
    assert yard.pool.free == 1
    yard.pool.unclaim()
    assert yard.pool.free == 2


async def test_a_slot_is_taken_while_a_message_is_out() -> None:
    """In the worker's hands it is not free; afterwards it is, and the dispatcher is woken."""
    hold = asyncio.Event()
    yard = Yard(SimClock())
    endpoint = yard.join("w", Scripted(hold=hold), slots=1)
    task = asyncio.ensure_future(endpoint.deliver(attempt(at=yard.clock.monotonic())))
    await asyncio.sleep(0)
    assert yard.pool.free == 0
    assert yard.pool.busy_since is not None
    wakes = yard.wakes
    hold.set()
    assert await task == Delivered("w")
    assert yard.pool.free == 1
    assert yard.wakes > wakes


async def test_a_draining_worker_gets_nothing_and_can_come_back() -> None:
    """Drained it is not picked and the pool is down; resumed it is picked again."""
    yard = Yard(SimClock())
    endpoint = yard.join("w", Scripted())
    yard.pool.drain(endpoint, draining=True)
    assert yard.pool.pick(yard.clock.monotonic()) is None
    assert yard.pool.down_since is not None
    yard.pool.drain(endpoint, draining=False)
    assert yard.pool.pick(yard.clock.monotonic()) is endpoint
    assert yard.pool.down_since is None


async def test_a_held_worker_is_left_alone_until_its_time() -> None:
    """A Retry-After holds the worker back; a shorter wish never shortens a longer one; the pool is busy, not down."""
    yard = Yard(SimClock())
    endpoint = yard.join("w", Scripted())
    now = yard.clock.monotonic()
    yard.pool.hold(endpoint, now + 10.0)
    yard.pool.hold(endpoint, now + 1.0)
    assert yard.pool.pick(now) is None
    assert yard.pool.down_since is None
    assert yard.pool.advance(now + 5.0) == now + 10.0
    await yard.clock.sleep_until(now + 10.0)
    yard.pool.advance(yard.clock.monotonic())
    assert yard.pool.pick(yard.clock.monotonic()) is endpoint


async def test_an_open_breaker_takes_the_worker_out_and_time_brings_it_back() -> None:
    """Failures open it, the pool goes down and says when to look again; a good trial call or two close it."""
    yard = Yard(SimClock(), breaker=BreakerSettings(failures=3, open_s=5.0, successes=1))
    endpoint = yard.join("w", Scripted(BROKEN, BROKEN, BROKEN, Delivered("w")), slots=4)
    for _ in range(3):
        await endpoint.deliver(attempt(at=yard.clock.monotonic()))
    assert yard.pool.free == 0
    assert yard.pool.down_since is not None
    look_at = yard.pool.advance(yard.clock.monotonic())
    assert look_at is not None
    await yard.clock.sleep_until(look_at)
    yard.pool.advance(look_at)
    assert (yard.pool.free, yard.pool.slots) == (1, 1)
    assert yard.pool.down_since is not None
    assert await endpoint.deliver(attempt(at=look_at)) == Delivered("w")
    assert yard.pool.down_since is None
    moves = [(event.was, event.now) for event in yard.events if isinstance(event, BreakerMoved)]
    assert moves == [("closed", "open"), ("open", "half_open"), ("half_open", "closed")]


async def test_removing_a_worker_takes_its_slots() -> None:
    """A worker that left is not counted, picked or known."""
    yard = Yard(SimClock())
    endpoint = yard.join("w", Scripted(), slots=4)
    yard.join("x", Scripted(), slots=1)
    yard.pool.remove(endpoint)
    assert (yard.pool.free, len(yard.pool)) == (1, 1)
    assert "w" not in yard.pool
    assert isinstance(yard.events[-1], WorkerLeft)


async def test_a_pool_that_always_has_more_to_do_stays_busy() -> None:
    """A slot that is taken again at once was never to spare: busy is counted from when the last one was taken first."""
    clock = SimClock()
    yard = Yard(clock)
    endpoint = yard.join("w", Scripted())
    yard.pool.spare()
    yard.pool.starve()
    began = clock.monotonic()
    for _ in range(5):
        hold = asyncio.Event()
        endpoint.transport.hold = hold  # type: ignore[attr-defined]
        task = asyncio.ensure_future(endpoint.deliver(attempt(at=clock.monotonic())))
        await clock.sleep(1.0)
        hold.set()
        await task
        assert yard.pool.free == 1
    assert yard.pool.busy_since == began
    assert yard.calls_for_help == 1
    yard.pool.spare()
    assert yard.pool.busy_since is None


async def test_an_earlier_time_to_look_wakes_the_dispatcher() -> None:
    """A breaker that opens while another worker is up frees no slot, but the dispatcher must know when to come back."""
    clock = SimClock()
    yard = Yard(clock, breaker=BreakerSettings(failures=1, open_s=5.0))
    endpoint = yard.join("bad", Scripted(BROKEN))
    yard.join("good", Scripted())
    assert yard.pool.advance(clock.monotonic()) is None
    hold = asyncio.Event()
    endpoint.transport.hold = hold  # type: ignore[attr-defined]
    task = asyncio.ensure_future(endpoint.deliver(attempt(at=clock.monotonic())))
    await clock.sleep(1.0)
    wakes = yard.wakes
    hold.set()
    await task
    assert yard.wakes > wakes
    look_at = yard.pool.advance(clock.monotonic())
    assert look_at is not None
    assert 3.9 < look_at - clock.monotonic() < 6.1


async def test_plans_do_not_pile_up() -> None:
    """A worker both held back and broken is looked at when the first of both is over; asking again plans no more."""
    clock = SimClock()
    yard = Yard(clock, breaker=BreakerSettings(failures=1, open_s=60.0))
    endpoint = yard.join("w", Scripted(BROKEN))
    await endpoint.deliver(attempt(at=clock.monotonic()))
    now = clock.monotonic()
    yard.pool.hold(endpoint, now + 10.0)
    for _ in range(100):
        yard.pool.refresh(endpoint)
    assert len(yard.pool._wakes) <= 2
    await clock.sleep_until(now + 10.0)
    look_at = yard.pool.advance(clock.monotonic())
    assert look_at is not None
    assert look_at > now + 40.0


async def test_another_balancer_takes_over_what_is_there() -> None:
    """Workers, free slots and calls that are out go on as they were; the next pick is the new one's."""
    yard = Yard(SimClock())
    hold = asyncio.Event()
    busy = yard.join("busy", Scripted(hold=hold))
    yard.join("free", Scripted())
    task = asyncio.ensure_future(busy.deliver(attempt(at=yard.clock.monotonic())))
    await asyncio.sleep(0)
    yard.pool.use(BALANCERS["round_robin"](yard.rng))
    picks = [yard.pool.pick(yard.clock.monotonic()) for _ in range(3)]
    assert [pick.id for pick in picks if pick] == ["free"] * 3
    hold.set()
    await task
    ids = {pick.id for _ in range(4) if (pick := yard.pool.pick(yard.clock.monotonic()))}
    assert (yard.pool.free, ids) == (2, {"busy", "free"})
    yard.pool.remove(busy)
    assert yard.pool.free == 1


async def test_free_slots_are_right_after_any_history() -> None:
    """Random joins, leaves, deliveries, failures, drains and holds never make the sum drift."""
    rng = random.Random(5)
    clock = SimClock()
    yard = Yard(clock, breaker=BreakerSettings(failures=2, open_s=1.0))
    endpoints: list[Endpoint] = []
    for step in range(2000):
        roll = rng.random()
        if roll < 0.05 or not endpoints:
            endpoints.append(yard.join(f"w{step}", Scripted(*rng.choices((Delivered("w"), BROKEN), k=3)), slots=2))
        elif roll < 0.08:
            yard.pool.remove(endpoints.pop(rng.randrange(len(endpoints))))
        elif roll < 0.7:
            await rng.choice(endpoints).deliver(attempt(at=clock.monotonic()))
        elif roll < 0.8:
            yard.pool.drain(rng.choice(endpoints), draining=rng.random() < 0.5)
        elif roll < 0.9:
            yard.pool.hold(rng.choice(endpoints), clock.monotonic() + rng.random())
        else:
            await clock.sleep_until(clock.monotonic() + rng.random())
            yard.pool.advance(clock.monotonic())
        assert yard.pool.free == sum(one.load.available for one in yard.pool)
        assert (yard.pool.down_since is None) == any(one.up for one in yard.pool)


async def test_a_slot_that_was_claimed_in_vain_wakes_whoever_waits() -> None:
    """As one that becomes free does; where nobody waits, nobody is woken."""
    yard = Yard(SimClock())
    yard.join("w", Scripted(), slots=2)
    for waits in (True, False):
        yard.pool.starve() if waits else yard.pool.spare()
        yard.pool.claim()
        wakes = yard.wakes
        yard.pool.give_back()
        assert (yard.pool.free, yard.wakes > wakes) == (2, waits)


async def test_a_slot_that_is_promised_is_counted_once() -> None:
    """Not free, not in flight, and still one of its worker's: also after the pool has looked at it anew."""
    yard = Yard(SimClock())
    endpoint = yard.join("w", Scripted(), slots=3)
    endpoint.reserve(2)
    yard.pool.refresh(endpoint)
    assert (yard.pool.free, yard.pool.slots, endpoint.load.available) == (1, 3, 1)
    endpoint.reserve(-2)
    yard.pool.changed(endpoint)
    assert (yard.pool.free, yard.pool.slots, endpoint.load.available) == (3, 3, 3)


async def test_a_pool_knows_who_of_its_workers_can_serve_what() -> None:
    """From the day they join to the day they leave."""
    yard = Yard(SimClock())
    need = Need("openai", True, "")
    endpoint = yard.join("a", Scripted(), transport="anthropic")
    assert (yard.pool.roster.unsuitable(need), yard.pool.roster.serves(need)) == (frozenset({"a"}), False)
    yard.join("o", Scripted(), transport="openai", slots=5)
    assert yard.pool.roster.serves(need)
    assert (yard.pool.slots_of({"a"}), yard.pool.slots) == (5, 6)
    yard.pool.remove(endpoint)
    assert (yard.pool.roster.unsuitable(need), yard.pool.find("a")) == (frozenset(), None)


async def test_a_pause_may_be_shortened_and_ends_by_itself_or_when_told() -> None:
    """What a provider account says last counts, apart from what the worker itself asked for."""
    clock = SimClock()
    yard = Yard(clock)
    endpoint = yard.join("w", Scripted())
    now = yard.clock.monotonic()
    yard.pool.pause(endpoint, now + 100.0)
    yard.pool.pause(endpoint, now + 10.0)
    assert (yard.pool.free, yard.pool.down_since) == (0, None)
    assert yard.pool.advance(now) == now + 10.0
    await clock.sleep(10.0)
    yard.pool.advance(yard.clock.monotonic())
    assert yard.pool.free == 1
    yard.pool.hold(endpoint, now + 20.0)
    yard.pool.pause(endpoint, 0.0)
    assert yard.pool.free == 0


async def test_a_pause_without_an_end_plans_no_look_and_ends_when_told() -> None:
    """As many requests are out as may be: nobody knows until when. What else is planned stays planned."""
    yard = Yard(SimClock())
    endpoint = yard.join("w", Scripted())
    now = yard.clock.monotonic()
    yard.pool.pause(endpoint, inf)
    assert yard.pool.advance(now) is None
    yard.pool.hold(endpoint, now + 5.0)
    yard.pool.pause(endpoint, 0.0)
    assert yard.pool.advance(now) == now + 5.0
