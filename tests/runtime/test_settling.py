"""Settling: each message ends once for everybody, and its overhead is the router's own part."""

from __future__ import annotations

import random

import msgspec
import pytest

from pointsman.engines.local.engine import LocalEngine
from pointsman.model.events import Ended, Event
from pointsman.model.outcome import (
    AttemptRecord,
    Cause,
    Dead,
    Delivered,
    Expired,
    Failed,
    Failure,
    Outcome,
    RetryIn,
)
from pointsman.model.settings import EngineSettings, RetrySettings
from pointsman.model.states import Status
from pointsman.model.usage import Usage
from pointsman.ports import Lease, Source
from pointsman.runtime.replies import Replies
from pointsman.runtime.settling import Settler, overhead
from pointsman.sim import SimClock
from pointsman.testing.make import envelope


class Desk:
    """A settler with a real engine behind it."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.engine = LocalEngine(EngineSettings(), self.clock, ("coders",))
        self.replies = Replies(10, 1000)
        self.events: list[Event] = []
        self.due: list[float] = []
        self.ready: list[str] = []
        self.settler = Settler(
            self.engine,
            self.replies,
            self.clock,
            random.Random(1),
            self.events.append,
            self.due.append,
            self.ready.append,
        )
        self.settler.policies = {"coders": RetrySettings(base_s=1.0, jitter_share=0.0)}

    async def lease(self) -> Lease:
        """Put a message and hand it out."""
        await self.engine.open()
        await self.engine.put(envelope(at=self.clock.monotonic()))
        return (await self.engine.lease((Source("coders"),), 1))[0]


ENDS: dict[str, tuple[Outcome, Status, Cause | None]] = {
    "delivered": (Delivered("w"), Status.DELIVERED, None),
    "failed": (Failed(Failure.MESSAGE_FAULT, "bad", worker="w", sent=True), Status.FAILED, Cause.MESSAGE_FAULT),
    "expired": (Expired(), Status.EXPIRED, Cause.TTL),
}


@pytest.mark.parametrize("end", ENDS)
async def test_an_end_is_told_once_to_caller_and_world(end: str) -> None:
    """One Ended event and one result, with the same status and cause."""
    outcome, status, cause = ENDS[end]
    desk = Desk()
    lease = await desk.lease()
    waiter = desk.replies.open(lease.envelope.id)
    await desk.settler.settle(lease, outcome)
    (event,) = desk.events
    assert isinstance(event, Ended)
    assert (event.status, event.cause) == (status, cause)
    assert waiter.result is not None
    assert (waiter.result.status, waiter.result.cause) == (status, cause)


async def test_a_retry_is_no_end() -> None:
    """Nobody is told, and the reaper learns when the message is due."""
    desk = Desk()
    lease = await desk.lease()
    broken: Outcome = Failed(Failure.WORKER_ERROR, "broke", worker="w", sent=True)
    assert isinstance(await desk.settler.settle(lease, broken), RetryIn)
    assert desk.events == []
    assert desk.due == [desk.clock.monotonic() + 1.0]
    assert lease.envelope.tries == 1


async def test_a_settlement_without_a_lease_changes_nothing() -> None:
    """The second settlement of one attempt tells nobody anything."""
    desk = Desk()
    lease = await desk.lease()
    await desk.settler.settle(lease, Delivered("w"))
    assert await desk.settler.settle(lease, Delivered("w")) is None
    assert len(desk.events) == 1


async def test_a_lost_lease_under_unsent_is_dead_with_unknown_outcome() -> None:
    """Nobody knows whether the worker acted, so it is not done twice."""
    desk = Desk()
    lease = await desk.lease()
    lease.envelope.redeliver = "unsent"
    settlement = await desk.settler.lost(lease)
    assert isinstance(settlement, Dead)
    assert settlement.cause is Cause.OUTCOME_UNKNOWN


def attempt_record(queued_s: float, took_s: float, worker_s: float) -> AttemptRecord:
    """Return the record of one attempt."""
    return AttemptRecord(1, "coders", "w", "delivered", queued_s, took_s, worker_s)


def test_overhead_is_what_the_router_added() -> None:
    """Admission, dispatch while a worker was free, and each attempt less the worker's part; not the back-off."""
    message = envelope()
    message.admission_s = 0.001
    message.trail = [attempt_record(0.003, 0.52, 0.5), attempt_record(2.0, 0.31, 0.3)]
    assert overhead(message) == pytest.approx(0.001 + 0.002 + 0.02 + 0.01)


def test_waiting_for_a_free_worker_is_no_overhead() -> None:
    """A message that found every worker busy does not charge its wait to the router."""
    message = envelope()
    message.admission_s, message.waited = 0.001, True
    message.trail = [attempt_record(30.0, 0.51, 0.5)]
    assert overhead(message) == pytest.approx(0.001 + 0.01)


def test_waiting_for_a_particular_worker_is_no_overhead() -> None:
    """What an attempt was parked for is neither the worker's time nor the router's."""
    message = envelope()
    message.admission_s = 0.001
    parked = msgspec.structs.replace(attempt_record(0.001, 2.51, 0.5), parked_s=2.0)
    message.trail = [parked]
    assert overhead(message) == pytest.approx(0.001 + 0.01)


async def test_an_attempt_that_lost_its_lease_is_not_counted() -> None:
    """Whoever was faster has counted it; counting the late one too would use attempts up that were never made."""
    desk = Desk()
    lease = await desk.lease()
    broken: Outcome = Failed(Failure.WORKER_ERROR, "broke", worker="w", sent=True)
    await desk.settler.settle(lease, broken)
    assert await desk.settler.settle(lease, broken) is None
    assert await desk.settler.settle(lease, Delivered("w")) is None
    assert lease.envelope.tries == 1


async def test_a_result_says_what_the_message_took() -> None:
    """All its attempts together."""
    desk = Desk()
    lease = await desk.lease()
    lease.envelope.usage, lease.envelope.cost = Usage(10, 0, 0, 5), 0.25
    waiter = desk.replies.open(lease.envelope.id)
    await desk.settler.settle(lease, Delivered("w"))
    assert waiter.result is not None
    assert (waiter.result.usage, waiter.result.cost) == (lease.envelope.usage, 0.25)
