"""The fleet: workers join once, leave when their work is done, and no transport is left open."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.model.errors import Conflict, NotFound
from pointsman.model.outcome import Failed, Failure
from pointsman.model.settings import BreakerSettings, WorkerSettings
from pointsman.runtime.endpoint import Endpoint
from pointsman.runtime.fleet import Fleet
from pointsman.runtime.pool import Pool
from pointsman.runtime.tasks import Tasks
from pointsman.sim import SimClock
from pointsman.testing.make import attempt
from tests.runtime.fleet_of import Scripted, Yard


class Slow(Scripted):
    """Takes a second to open, and may fail to."""

    fault: Exception | None = None

    async def open(self) -> None:
        await super().open()
        await asyncio.sleep(1.0)
        if self.fault is not None:
            raise self.fault


class Company:
    """Two pools, and a transport made for each worker that is to join."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.yards = {name: Yard(self.clock, breaker=BreakerSettings(failures=1, open_s=5.0)) for name in ("a", "b")}
        self.pools = {name: yard.pool for name, yard in self.yards.items()}
        for name, pool in self.pools.items():
            pool.name = name
        self.tasks = Tasks(self.clock)
        self.transports: list[Scripted] = []
        self.next: list[Scripted] = []
        self.fleet = Fleet(self.pools, self._make, self.clock, self.tasks)

    def _make(self, pool: Pool, settings: WorkerSettings, origin: str) -> Endpoint:
        transport = self.next.pop(0) if self.next else Scripted()
        self.transports.append(transport)
        endpoint = self.yards[pool.name].endpoint(settings.id, transport, settings.max_in_flight)
        endpoint.settings, endpoint.origin = settings, origin
        return endpoint


def worker(name: str = "w", slots: int = 1) -> WorkerSettings:
    """Return settings of a worker."""
    return WorkerSettings(id=name, transport="callable", max_in_flight=slots)


async def test_a_worker_joins_with_an_open_transport() -> None:
    """It can be found, is shown with where it came from, and its slots count."""
    company = Company()
    view = await company.fleet.join("a", worker("w", 3), "api")
    assert (view.id, view.pool, view.state, view.origin, view.max_in_flight) == ("w", "a", "ready", "api", 3)
    assert company.transports[0].opened == 1
    pool, endpoint = company.fleet.find("w")
    assert (pool.name, endpoint.id, pool.free) == ("a", "w", 3)


async def test_an_id_is_taken_in_all_pools() -> None:
    """A second worker of the same id is a conflict that names the pool, and no transport is made for it."""
    company = Company()
    await company.fleet.join("a", worker(), "file")
    for pool in ("a", "b"):
        with pytest.raises(Conflict, match="'w' is already in pool 'a'"):
            await company.fleet.join(pool, worker(), "file")
    assert len(company.transports) == 1


async def test_two_that_join_at_once_under_one_id_do_not_both_come_in() -> None:
    """Whoever is opened later loses, and its transport is closed again."""
    company = Company()
    company.next = [Slow(), Scripted()]
    late = asyncio.ensure_future(company.fleet.join("a", worker(), "file"))
    await asyncio.sleep(0.5)
    await company.fleet.join("b", worker(), "file")
    with pytest.raises(Conflict, match="already in pool 'b'"):
        await late
    assert [transport.closed for transport in company.transports] == [True, False]
    assert len(company.pools["a"]) == 0


async def test_a_transport_that_cannot_be_opened_is_closed_again() -> None:
    """The error passes, and the worker has not joined; the same where whoever wanted it gives up."""
    company = Company()
    broken = Slow()
    broken.fault = OSError("no such program")
    company.next = [broken, Slow()]
    with pytest.raises(OSError, match="no such program"):
        await company.fleet.join("a", worker(), "file")
    joining = asyncio.ensure_future(company.fleet.join("a", worker(), "file"))
    await asyncio.sleep(0.5)
    joining.cancel()
    await asyncio.wait([joining])
    assert [transport.closed for transport in company.transports] == [True, True]
    assert company.fleet.workers() == []


async def test_what_does_not_exist_is_named_with_what_does() -> None:
    """Pools and workers."""
    company = Company()
    with pytest.raises(NotFound, match="'x'; known: a, b"):
        await company.fleet.join("x", worker(), "file")
    with pytest.raises(NotFound, match="no pool 'x'"):
        company.fleet.workers("x")
    for missing in (company.fleet.find, company.fleet.leave, company.fleet.drain):
        with pytest.raises(NotFound, match="no worker 'nobody'"):
            missing("nobody")


async def test_a_worker_that_leaves_finishes_what_it_has_in_hand() -> None:
    """It gets nothing new at once; its transport is closed only when the last answer is there."""
    company = Company()
    hold = asyncio.Event()
    company.next = [Scripted(hold=hold)]
    await company.fleet.join("a", worker(), "file")
    _, endpoint = company.fleet.find("w")
    task = asyncio.ensure_future(endpoint.deliver(attempt(at=company.clock.monotonic())))
    await asyncio.sleep(1.0)
    company.fleet.leave("w")
    assert (company.pools["a"].free, company.fleet.workers()) == (0, [])
    await asyncio.sleep(30.0)
    assert not company.transports[0].closed
    hold.set()
    await task
    await asyncio.sleep(0.1)
    assert company.transports[0].closed
    assert endpoint.load.in_flight == 0
    assert len(company.tasks) == 0


async def test_the_id_of_a_worker_that_leaves_is_free_at_once() -> None:
    """A new one of that id works while the old one still finishes, and neither is taken for the other."""
    company = Company()
    hold = asyncio.Event()
    company.next = [Scripted(hold=hold), Scripted()]
    await company.fleet.join("a", worker(), "file")
    _, old = company.fleet.find("w")
    task = asyncio.ensure_future(old.deliver(attempt(at=company.clock.monotonic())))
    await asyncio.sleep(0)
    company.fleet.leave("w")
    await company.fleet.join("a", worker("w", 2), "api")
    hold.set()
    await task
    await asyncio.sleep(1.0)
    assert [transport.closed for transport in company.transports] == [True, False]
    assert (company.pools["a"].free, company.fleet.workers()[0].origin) == (2, "api")


async def test_closing_closes_those_that_still_leave_too() -> None:
    """A worker that left with work in hand when the router stopped is not forgotten."""
    company = Company()
    company.next = [Scripted(hold=asyncio.Event())]
    await company.fleet.join("a", worker("leaving"), "file")
    await company.fleet.join("b", worker("staying"), "file")
    _, endpoint = company.fleet.find("leaving")
    task = asyncio.ensure_future(endpoint.deliver(attempt(at=company.clock.monotonic())))
    await asyncio.sleep(0)
    company.fleet.leave("leaving")
    await company.tasks.close()
    await company.fleet.close()
    assert [transport.closed for transport in company.transports] == [True, True]
    task.cancel()


async def test_states_are_what_an_operator_wants_to_know() -> None:
    """Ready, busy, held, draining, open, half open: the one that explains most."""
    company = Company()
    hold = asyncio.Event()
    fault = Failed(Failure.WORKER_ERROR, "no", worker="w", sent=True)
    company.next = [Scripted(fault, hold=hold)]
    await company.fleet.join("a", worker(), "file")
    pool, endpoint = company.fleet.find("w")

    def state() -> str:
        (view,) = company.fleet.workers("a")
        return view.state

    states = [state()]
    task = asyncio.ensure_future(endpoint.deliver(attempt(at=company.clock.monotonic())))
    await asyncio.sleep(0)
    states.append(state())
    pool.hold(endpoint, company.clock.monotonic() + 1.0)
    states.append(state())
    company.fleet.drain("w")
    states.append(state())
    company.fleet.drain("w", draining=False)
    hold.set()
    await task
    states.append(state())
    await asyncio.sleep(10.0)
    pool.advance(company.clock.monotonic())
    states.append(state())
    assert states == ["ready", "busy", "held", "draining", "open", "half_open"]


async def test_pools_are_shown_with_their_slots_and_since_when_they_are_down() -> None:
    """A pool without a worker that may be called is down since then."""
    company = Company()
    await company.fleet.join("a", worker("w", 3), "file")
    await asyncio.sleep(7.0)
    a, b = company.fleet.pool_views()
    assert (a.name, a.workers, a.slots, a.free, a.down_s) == ("a", 1, 3, 3, None)
    assert (b.name, b.workers, b.slots, b.free, b.down_s) == ("b", 0, 0, 0, 7.0)
