"""What the local engine holds on to and for how long, and what it refuses by name."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import Any

import pytest

from pointsman.engines.local.engine import LocalEngine
from pointsman.model.message import Envelope, Message
from pointsman.model.outcome import Accepted, Ack, Refusal, Refused, RetryIn
from pointsman.model.settings import EngineSettings
from pointsman.ports import Source
from pointsman.testing import FakeClock
from tests.engines.local.drive import do


class Weight:
    """Something whose end can be noticed."""


def _engine(clock: FakeClock) -> LocalEngine:
    engine = LocalEngine(EngineSettings(), clock, ("a",))
    do(engine.open())
    return engine


def _put(engine: LocalEngine, number: int, clock: FakeClock, **fields: Any) -> None:
    now = clock.monotonic()
    envelope = Envelope(
        id=f"{number:032x}",
        message=Message(text="x", **fields),
        client="c",
        received_at=now,
        received_wall=clock.wall(),
        expires_at=now + 1e6,
        pool="a",
        size_bytes=1,
    )
    assert do(engine.put(envelope)) == Accepted(envelope.id)


@pytest.mark.parametrize("end", ["delivered", "cancelled while out", "cancelled while delayed", "cancelled", "purged"])
def test_a_message_that_has_ended_is_let_go_of_at_once(end: str) -> None:
    """However long its lease or its delay would have lasted, nothing in the engine holds on to its content."""
    clock = FakeClock()
    engine = _engine(clock)
    weight = Weight()
    gone = weakref.ref(weight)
    _put(engine, 1, clock, metadata={"weight": weight})
    del weight
    if end in {"delivered", "cancelled while out", "cancelled while delayed"}:
        (lease,) = do(engine.lease((Source("a"),), 1))
        if end == "delivered":
            do(engine.settle(lease, Ack()))
        elif end == "cancelled while delayed":
            do(engine.settle(lease, RetryIn(1000.0)))
        del lease
    if end == "purged":
        do(engine.purge("a"))
    elif end != "delivered":
        assert do(engine.cancel(f"{1:032x}")) is not None
    gc.collect()
    # A ticket that was cancelled stays behind in its line until it is met; it is a place, not a message.
    assert gone() is None


def test_the_heap_of_leases_stays_small_however_many_messages_pass() -> None:
    """20,000 messages that were out for a moment leave no more entries than a bound that does not depend on them."""
    clock = FakeClock()
    engine = _engine(clock)
    for number in range(20_000):
        _put(engine, number, clock)
        (lease,) = do(engine.lease((Source("a"),), 1))
        do(engine.settle(lease, Ack()))
    leases = engine._messages.leases
    assert len(leases) == 0
    assert len(leases._ends) <= 1025
    assert leases._held == {}


def test_the_heap_of_delayed_messages_stays_small_however_many_are_cancelled() -> None:
    """20,000 cancelled retries leave no more entries than a bound that does not depend on them."""
    clock = FakeClock()
    engine = _engine(clock)
    for number in range(20_000):
        _put(engine, number, clock)
        (lease,) = do(engine.lease((Source("a"),), 1))
        do(engine.settle(lease, RetryIn(1000.0)))
        do(engine.cancel(f"{number:032x}"))
    queue = engine._queues["a"]
    assert queue.delayed() == []
    assert len(queue._wakes) <= 65


def test_a_renewed_lease_is_not_looked_for_in_vain() -> None:
    """After many renewals there is one entry, and it is due when the lease is."""
    clock = FakeClock()
    engine = _engine(clock)
    _put(engine, 1, clock)
    (lease,) = do(engine.lease((Source("a"),), 1))
    for _ in range(50):
        clock.advance(20.0)
        do(engine.renew(lease, 30.0))
        reaped = do(engine.reap())
        assert (reaped.lost, reaped.next_due) == ([], clock.monotonic() + 30.0)
    assert len(engine._messages.leases._ends) == 1


def test_bytes_are_counted_until_the_end_and_not_until_the_hand_out() -> None:
    """What is out is still held in memory, and would come back with a retry."""
    clock = FakeClock()
    engine = LocalEngine(EngineSettings(max_queued_bytes=10), clock, ("a",))
    do(engine.open())
    for number in range(10):
        _put(engine, number, clock)
    leases = do(engine.lease((Source("a"),), 10))
    another = replace(leases[0].envelope, id="f" * 32)
    refused = do(engine.put(another))
    assert isinstance(refused, Refused)
    assert "10 bytes are held" in refused.detail
    do(engine.settle(leases[0], Ack()))
    _put(engine, 11, clock)


def test_a_stored_message_is_refused_by_name() -> None:
    """Nothing here survives a restart, so nothing is promised; the words say what to do instead."""
    clock = FakeClock()
    engine = _engine(clock)
    _put(engine, 1, clock)
    (lease,) = do(engine.lease((Source("a"),), 1))
    lease.envelope.stored = True
    refused = do(engine.put(lease.envelope))
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.retryable) == (Refusal.NOT_STORED, False)
    assert "wait = true" in refused.detail


def test_a_queue_that_a_reload_brings_does_not_touch_the_others() -> None:
    """Queues that are there keep what they hold."""
    clock = FakeClock()
    engine = _engine(clock)
    _put(engine, 1, clock)
    engine.ensure_queues(("a", "b"))
    assert [view.name for view in do(engine.queues())] == ["a", "b"]
    assert engine.waiting("a", 4) == 1
