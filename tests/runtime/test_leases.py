"""The lease keeper: what is held is renewed in time, what cannot be renewed is given up."""

from __future__ import annotations

from pointsman.engines.local.engine import LocalEngine
from pointsman.model.outcome import Ack
from pointsman.model.settings import EngineSettings
from pointsman.ports import Attempt, Source
from pointsman.runtime.leases import LeaseKeeper
from pointsman.runtime.tasks import Tasks
from pointsman.sim import SimClock
from pointsman.testing.make import attempt, envelope

LEASE_S = 30.0


class Hall:
    """An engine, a keeper that runs, and the ids it gave up."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.engine = LocalEngine(EngineSettings(lease_s=LEASE_S), self.clock, ("coders",))
        self.lost: list[str] = []
        self.keeper = LeaseKeeper(self.engine, self.clock, LEASE_S, self.lost.append)
        self.tasks = Tasks(self.clock)
        self.tasks.spawn(self.keeper.run(), "keeper")

    async def attempt(self) -> Attempt:
        """Hand a message out."""
        await self.engine.open()
        message = envelope(at=self.clock.monotonic(), ttl_s=86_400.0)
        await self.engine.put(message)
        out = attempt(message, at=self.clock.monotonic())
        (out.lease,) = await self.engine.lease((Source("coders"),), 1)
        return out


async def test_a_held_lease_outlives_its_length() -> None:
    """Ten leases' time later it still holds, and the attempt can be settled."""
    hall = Hall()
    out = await hall.attempt()
    hall.keeper.hold(out)
    for _ in range(100):
        await hall.clock.sleep_until(hall.clock.monotonic() + LEASE_S / 10.0)
        assert (await hall.engine.reap()).lost == []
    await hall.engine.settle(out.lease, Ack())
    hall.keeper.let_go(out)
    assert hall.lost == []
    await hall.tasks.close()


async def test_a_lease_that_is_let_go_runs_out() -> None:
    """Nobody renews it any more."""
    hall = Hall()
    out = await hall.attempt()
    hall.keeper.hold(out)
    hall.keeper.let_go(out)
    await hall.clock.sleep_until(hall.clock.monotonic() + LEASE_S + 0.1)
    assert len((await hall.engine.reap()).lost) == 1
    await hall.tasks.close()


async def test_a_lease_that_was_taken_away_is_given_up_once() -> None:
    """The keeper says whose it was, once, and stops trying."""
    hall = Hall()
    out = await hall.attempt()
    hall.keeper.hold(out)
    await hall.engine.cancel(out.envelope.id)
    await hall.clock.sleep_until(hall.clock.monotonic() + 3 * LEASE_S)
    assert hall.lost == [out.envelope.id]
    await hall.tasks.close()
