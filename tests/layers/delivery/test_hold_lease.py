"""Holding the lease: from the first step to the last byte, whatever comes of the attempt."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.engines.local.engine import LocalEngine
from pointsman.layers.delivery.hold_lease import HoldLease
from pointsman.model.outcome import Delivered, Outcome
from pointsman.model.settings import EngineSettings
from pointsman.ports import Attempt
from pointsman.runtime.leases import LeaseKeeper
from pointsman.sim import SimClock
from pointsman.testing.make import attempt
from pointsman.testing.probe import Probe


def keeper() -> LeaseKeeper:
    """Return a keeper that does not run."""
    clock = SimClock()
    return LeaseKeeper(LocalEngine(EngineSettings(), clock, ("coders",)), clock, 30.0)


async def test_the_lease_is_held_while_the_inner_call_runs() -> None:
    """And neither before nor after."""
    held = keeper()
    seen: list[int] = []

    async def inner(out: Attempt) -> Outcome:
        seen.append(len(held))
        return Delivered("w")

    assert await HoldLease(held)(inner)(attempt()) == Delivered("w")
    assert (seen, len(held)) == ([1], 0)


async def test_the_attempt_goes_in_as_it_is_and_the_outcome_comes_out_as_it_is() -> None:
    """The layer adds nothing and takes nothing away."""
    inner = Probe(Delivered("w"))
    out = attempt()
    assert await HoldLease(keeper())(inner)(out) == Delivered("w")
    assert inner.seen == [out]


async def test_a_fault_below_lets_go_of_the_lease() -> None:
    """It passes, and nothing is renewed for ever."""
    held = keeper()
    inner = Probe(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await HoldLease(held)(inner)(attempt())
    assert len(held) == 0


async def test_a_cancelled_delivery_lets_go_of_the_lease() -> None:
    """Cancellation passes through untouched."""
    held = keeper()

    async def inner(out: Attempt) -> Outcome:
        await asyncio.sleep(1e6)
        return Delivered("w")

    delivery = asyncio.ensure_future(HoldLease(held)(inner)(attempt()))
    await asyncio.sleep(1.0)
    assert len(held) == 1
    delivery.cancel()
    await asyncio.wait([delivery])
    assert (delivery.cancelled(), len(held)) == (True, 0)


async def test_two_attempts_are_held_side_by_side() -> None:
    """The end of one does not let go of the other, also where both are of one message."""
    held = keeper()
    release = asyncio.Event()

    async def slow(out: Attempt) -> Outcome:
        await release.wait()
        return Delivered("w")

    first = attempt()
    second = attempt(first.envelope)
    deliveries = [asyncio.ensure_future(HoldLease(held)(slow)(out)) for out in (first, second)]
    await asyncio.sleep(0)
    deliveries[0].cancel()
    await asyncio.wait([deliveries[0]])
    assert len(held) == 1
    release.set()
    await deliveries[1]
    assert len(held) == 0
