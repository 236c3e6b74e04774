"""The lease keeper: what is held is renewed in time, and what is lost is given up without harming a later attempt."""

from __future__ import annotations

import asyncio
import gc

import pytest

from pointsman.engines.local.engine import LocalEngine
from pointsman.model.errors import EngineUnavailable, LeaseLost
from pointsman.model.outcome import Ack, RetryIn
from pointsman.model.settings import EngineSettings
from pointsman.ports import Attempt, Lease, Source
from pointsman.runtime.leases import LeaseKeeper
from pointsman.runtime.tasks import Tasks
from pointsman.sim import SimClock
from pointsman.testing.make import attempt, envelope

LEASE_S = 30.0


class Patchy(LocalEngine):
    """An engine that cannot be reached now and then."""

    reachable = True

    async def renew(self, lease: Lease, for_s: float) -> None:
        if not self.reachable:
            raise EngineUnavailable("out of reach")
        await super().renew(lease, for_s)


class Hall:
    """An engine and a keeper that runs."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.engine = Patchy(EngineSettings(lease_s=LEASE_S), self.clock, ("coders",))
        self.keeper = LeaseKeeper(self.engine, self.clock, LEASE_S)
        self.tasks = Tasks(self.clock)
        self.tasks.spawn(self.keeper.run(), "keeper")

    async def put(self) -> None:
        """Put a message."""
        await self.engine.open()
        await self.engine.put(envelope(at=self.clock.monotonic(), ttl_s=86_400.0))

    async def attempt(self) -> Attempt:
        """Hand the message out."""
        (lease,) = await self.engine.lease((Source("coders"),), 1)
        out = attempt(envelope(), at=self.clock.monotonic())
        out.envelope, out.lease = lease.envelope, lease
        return out

    async def carry(self, out: Attempt) -> None:
        """Hold an attempt for ever, as a delivery would."""
        self.keeper.hold(out)
        try:
            await self.clock.sleep_until(1e12)
        finally:
            self.keeper.let_go(out)

    def deliver(self, out: Attempt) -> asyncio.Task[None]:
        """Hold an attempt in a task of its own."""
        out.task = delivery = self.tasks.spawn(self.carry(out), "delivery")
        return delivery


async def test_a_held_lease_outlives_its_length() -> None:
    """Ten leases' time later it still holds, and the attempt can be settled."""
    hall = Hall()
    await hall.put()
    out = await hall.attempt()
    delivery = hall.deliver(out)
    for _ in range(100):
        await hall.clock.sleep(LEASE_S / 10.0)
        assert (await hall.engine.reap()).lost == []
    assert not delivery.done()
    await hall.engine.settle(out.lease, Ack())
    await hall.tasks.close()


async def test_a_lease_that_is_let_go_runs_out() -> None:
    """Nobody renews it any more."""
    hall = Hall()
    await hall.put()
    out = await hall.attempt()
    hall.keeper.hold(out)
    hall.keeper.let_go(out)
    assert len(hall.keeper) == 0
    await hall.clock.sleep(LEASE_S + 0.1)
    assert len((await hall.engine.reap()).lost) == 1
    await hall.tasks.close()


async def test_a_delivery_whose_lease_was_taken_away_is_cancelled() -> None:
    """Its result would count no more, so its worker need not go on; it is cancelled once, and may clean up in peace."""
    hall = Hall()
    await hall.put()
    out = await hall.attempt()
    cleaned_up = False

    async def clean_up_slowly() -> None:
        nonlocal cleaned_up
        hall.keeper.hold(out)
        try:
            await hall.clock.sleep_until(1e12)
        except asyncio.CancelledError:
            hall.keeper.hold(out)
            await hall.clock.sleep(3 * LEASE_S)
            cleaned_up = True
            raise

    delivery = out.task = hall.tasks.spawn(clean_up_slowly(), "delivery")
    await hall.clock.sleep(0.0)
    await hall.engine.cancel(out.envelope.id)
    await asyncio.wait([delivery])
    assert (cleaned_up, delivery.cancelled()) == (True, True)
    await hall.tasks.close()


async def test_losing_a_lease_does_not_touch_a_later_attempt_of_the_same_message() -> None:
    """The old delivery is cancelled; the new one, which holds a good lease, goes on and can be settled."""
    hall = Hall()
    await hall.put()
    old = await hall.attempt()
    delivery = hall.deliver(old)
    await hall.clock.sleep(0.0)
    await hall.engine.settle(old.lease, RetryIn(0.0))
    new = await hall.attempt()
    later = hall.deliver(new)
    await hall.clock.sleep(2 * LEASE_S)
    assert (delivery.cancelled(), later.done()) == (True, False)
    await hall.engine.settle(new.lease, Ack())
    await hall.tasks.close()


async def test_an_engine_out_of_reach_costs_no_lease_that_still_holds() -> None:
    """One round in vain is no loss: the next one renews, and the delivery goes on."""
    hall = Hall()
    await hall.put()
    out = await hall.attempt()
    delivery = hall.deliver(out)
    hall.engine.reachable = False
    await hall.clock.sleep(LEASE_S / 3.0 + 0.1)
    hall.engine.reachable = True
    await hall.clock.sleep(2 * LEASE_S)
    assert (await hall.engine.reap()).lost == []
    assert not delivery.done()
    await hall.tasks.close()


async def test_an_attempt_in_hand_goes_on_under_the_fresh_lease() -> None:
    """Where a lease ran out only because nobody came to renew it, the attempt keeps its message."""
    hall = Hall()
    await hall.put()
    out = await hall.attempt()
    hall.keeper.hold(out)
    old = out.lease
    (fresh,) = await _run_out(hall)
    assert hall.keeper.revive(fresh)
    with pytest.raises(LeaseLost):
        await hall.engine.settle(old, Ack())
    await hall.engine.settle(out.lease, Ack())
    await hall.tasks.close()


async def test_an_attempt_that_is_in_nobodys_hand_is_not_revived() -> None:
    """Nor is an earlier attempt of the same message mistaken for it."""
    hall = Hall()
    await hall.put()
    earlier = await hall.attempt()
    hall.keeper.hold(earlier)
    await hall.engine.settle(earlier.lease, RetryIn(0.0))
    await hall.attempt()
    (fresh,) = await _run_out(hall)
    held = earlier.lease
    assert not hall.keeper.revive(fresh)
    assert earlier.lease is held
    hall.keeper.let_go(earlier)
    await hall.tasks.close()


async def _run_out(hall: Hall) -> list[Lease]:
    hall.engine.reachable = False
    await hall.clock.sleep(LEASE_S + 0.1)
    hall.engine.reachable = True
    return (await hall.engine.reap()).lost


async def test_an_attempt_that_is_over_is_let_go() -> None:
    """Once the last one renewed was kept until the next round, with its message of 32 MiB."""
    hall = Hall()
    await hall.put()
    out = await hall.attempt()
    mark = out.envelope.trace_id = "the attempt of this test and of no other"
    delivery = hall.deliver(out)
    await hall.clock.sleep_until(hall.clock.monotonic() + LEASE_S)
    await hall.engine.settle(out.lease, Ack())
    delivery.cancel()
    await asyncio.wait([delivery])
    del out, delivery
    gc.collect()
    assert not [one for one in gc.get_objects() if type(one) is Attempt and one.envelope.trace_id == mark]
    await hall.tasks.close()
