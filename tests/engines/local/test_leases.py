"""Leases: the newest fence holds, a renewal counts, and what ran out is found when it does."""

from __future__ import annotations

import pytest

from pointsman.engines.local.leases import Leases
from pointsman.engines.local.record import Record
from pointsman.model.errors import LeaseLost
from pointsman.model.states import Status
from pointsman.ports import Lease
from pointsman.testing.make import envelope


def record(number: int = 1) -> Record:
    """Return a record that is out."""
    return Record(envelope(id=f"{number:032x}"), None, Status.LEASED, 0, 0.0, 1)


def lease_of(one: Record) -> Lease:
    """Return the lease it has now."""
    return Lease(one.envelope, 1, "coders", one.fence)


def test_a_lease_holds_until_its_record_is_released() -> None:
    """After that it is refused by the attempt and the message it was for."""
    leases, out = Leases(), record()
    leases.grant(out, 10.0)
    lease = lease_of(out)
    assert leases.holder(lease) is out
    leases.release(out)
    with pytest.raises(LeaseLost, match=f"attempt 1 of message {out.envelope.id}"):
        leases.holder(lease)


def test_a_fresh_fence_makes_the_old_one_worthless() -> None:
    """Fences rise; whoever holds an older one has lost."""
    leases, out = Leases(), record()
    leases.grant(out, 10.0)
    old = lease_of(out)
    leases.release(out)
    leases.grant(out, 20.0)
    assert out.fence > old.fence
    with pytest.raises(LeaseLost):
        leases.holder(old)
    assert leases.holder(lease_of(out)) is out


def test_a_fence_is_good_for_its_own_message_only() -> None:
    """A number that belongs to another message opens nothing."""
    leases, one, two = Leases(), record(1), record(2)
    leases.grant(one, 10.0)
    leases.grant(two, 10.0)
    with pytest.raises(LeaseLost):
        leases.holder(Lease(one.envelope, 1, "coders", two.fence))


def test_leases_run_out_in_time_and_not_before() -> None:
    """At its end a lease is over; each is reported once."""
    leases, early, late = Leases(), record(1), record(2)
    leases.grant(late, 20.0)
    leases.grant(early, 10.0)
    assert leases.next_end() == 10.0
    assert leases.run_out(9.9) == []
    assert leases.run_out(10.0) == [early]
    assert leases.run_out(10.0) == []
    assert leases.run_out(20.0) == [late]
    assert leases.next_end() is None
    assert len(leases) == 2


def test_a_renewed_lease_runs_out_later() -> None:
    """The record's own time counts, and the next time to look follows it."""
    leases, out, other = Leases(), record(1), record(2)
    leases.grant(out, 10.0)
    leases.grant(other, 15.0)
    out.due = 30.0
    assert leases.next_end() == 15.0
    assert leases.run_out(29.9) == [other]
    assert leases.run_out(30.0) == [out]


def test_a_released_lease_never_runs_out() -> None:
    """There is nothing to look for any more."""
    leases, out = Leases(), record()
    leases.grant(out, 10.0)
    leases.release(out)
    assert leases.next_end() is None
    assert leases.run_out(99.0) == []
    assert len(leases) == 0
