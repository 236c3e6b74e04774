"""Who holds a message, and for how long."""

from __future__ import annotations

from pointsman.model.errors import LeaseLost
from pointsman.model.outcome import Ack, RetryIn
from pointsman.testing.engine_suite.bench import LEASE_S, Bench, case, error_of


@case
async def gives_a_lost_lease_to_whoever_reaps(bench: Bench) -> None:
    """A lease that nobody renewed comes back from `reap`, once, under a new fence."""
    envelope = await bench.put()
    old = await bench.take_one()
    await bench.pass_time(LEASE_S + 0.1)
    lost = (await bench.engine.reap()).lost
    assert [lease.envelope.id for lease in lost] == [envelope.id]
    assert (await bench.engine.reap()).lost == []
    await error_of(LeaseLost, bench.engine.settle(old, Ack()))
    await bench.engine.settle(lost[0], RetryIn(0.0))
    assert (await bench.take_one()).attempt == 2


@case
async def keeps_a_renewed_lease(bench: Bench) -> None:
    """A lease renewed in time is not lost, however long the work takes."""
    await bench.put()
    lease = await bench.take_one()
    for _ in range(10):
        await bench.pass_time(LEASE_S * 0.8)
        await bench.engine.renew(lease, LEASE_S)
        assert (await bench.engine.reap()).lost == []
    await bench.engine.settle(lease, Ack())


@case
async def refuses_to_renew_what_is_over(bench: Bench) -> None:
    """A settled lease cannot be renewed."""
    await bench.put()
    lease = await bench.take_one()
    await bench.engine.settle(lease, Ack())
    await error_of(LeaseLost, bench.engine.renew(lease, LEASE_S))


@case
async def says_when_a_lease_runs_out(bench: Bench) -> None:
    """Reaping at `next_due` finds it; after a renewal it is due later, and not looked for in vain."""
    await bench.put()
    lease = await bench.take_one()
    await bench.pass_time(LEASE_S / 2.0)
    await bench.engine.renew(lease, LEASE_S)
    due = (await bench.engine.reap()).next_due
    assert due == bench.clock.monotonic() + LEASE_S
    await bench.clock.sleep_until(due)
    assert len((await bench.engine.reap()).lost) == 1


@case
async def never_shortens_a_lease_by_renewing_it(bench: Bench) -> None:
    """A renewal for less than is left changes nothing."""
    await bench.put()
    lease = await bench.take_one()
    await bench.engine.renew(lease, 3 * LEASE_S)
    await bench.engine.renew(lease, 1.0)
    await bench.pass_time(3 * LEASE_S - 0.1)
    assert (await bench.engine.reap()).lost == []


@case
async def looks_for_no_lease_of_what_has_ended(bench: Bench) -> None:
    """A message that was settled or cancelled while it was out has no lease to lose, and nothing is due."""
    await bench.put()
    await bench.engine.settle(await bench.take_one(), Ack())
    cancelled = await bench.put()
    await bench.take_one()
    await bench.engine.cancel(cancelled.id)
    assert (await bench.engine.reap()).next_due is None
    await bench.pass_time(LEASE_S + 0.1)
    assert (await bench.engine.reap()).lost == []
