"""Rescue: faults become values, cancellation does not."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.layers.rescue import Rescue, RescueDelivery
from pointsman.model.errors import EngineUnavailable
from pointsman.model.outcome import Accepted, Delivered, Failed, Failure, Refusal, Refused
from pointsman.testing.make import attempt, envelope
from pointsman.testing.probe import Probe


async def test_engine_trouble_becomes_a_refusal() -> None:
    """The sender learns that the queue is away, and may try again."""
    refused = await Rescue()(Probe(EngineUnavailable("gone")))(envelope())
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.retryable) == (Refusal.UNAVAILABLE, True)
    assert "gone" in refused.detail


async def test_a_bug_becomes_a_refusal_with_an_id_to_look_for(caplog: pytest.LogCaptureFixture) -> None:
    """The traceback goes to the log, the sender gets a number to quote."""
    message = envelope()
    refused = await Rescue()(Probe(ZeroDivisionError("oops")))(message)
    assert isinstance(refused, Refused)
    assert message.id in refused.detail
    assert "oops" not in refused.detail
    assert "ZeroDivisionError" in caplog.text


async def test_a_bug_in_delivery_becomes_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    """An attempt that had reached a worker counts as sent, one that had not does not."""
    before, after = attempt(), attempt()
    after.worker = "w"
    deliver = RescueDelivery()(Probe(ZeroDivisionError("oops")))
    for one, sent in ((before, False), (after, True)):
        outcome = await deliver(one)
        assert isinstance(outcome, Failed)
        assert (outcome.reason, outcome.sent) == (Failure.ROUTER_ERROR, sent)
    assert "oops" in caplog.text


async def test_cancellation_passes_through() -> None:
    """CancelledError is never swallowed."""
    with pytest.raises(asyncio.CancelledError):
        await Rescue()(Probe(asyncio.CancelledError()))(envelope())
    with pytest.raises(asyncio.CancelledError):
        await RescueDelivery()(Probe(asyncio.CancelledError()))(attempt())


async def test_values_pass_unchanged() -> None:
    """Nothing is done to what is no fault."""
    assert await Rescue()(Probe(Accepted("x")))(envelope()) == Accepted("x")
    assert await RescueDelivery()(Probe(Delivered("w")))(attempt()) == Delivered("w")
