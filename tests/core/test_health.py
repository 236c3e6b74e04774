"""What an outcome says about the worker: every failure there is has its place."""

from __future__ import annotations

import pytest

from pointsman.core.health import WORKER_FAULTS, verdict
from pointsman.model.outcome import Delivered, Expired, Failed, Failure

SILENT = {
    Failure.MESSAGE_FAULT: "the message is wrong, whoever gets it",
    Failure.WORKER_BUSY: "a worker that says so is well",
    Failure.WORKER_LEFT: "it was not asked",
    Failure.BREAKER_OPEN: "it was not asked",
    Failure.NO_WORKER: "nobody was asked",
    Failure.LEASE_LOST: "nobody knows what it did",
    Failure.ROUTER_ERROR: "our own fault",
}
"""Failures that say nothing, and why."""


def test_each_failure_either_counts_or_is_excused() -> None:
    """A new member of the enum must be put on one side."""
    assert WORKER_FAULTS | set(SILENT) == set(Failure)
    assert not WORKER_FAULTS & set(SILENT)


@pytest.mark.parametrize("reason", Failure)
@pytest.mark.parametrize("sent", [False, True])
def test_only_the_workers_own_faults_count_against_it(reason: Failure, sent: bool) -> None:
    """Whether the message was sent makes no difference to that."""
    assert verdict(Failed(reason, "x", worker="w", sent=sent)) is (False if reason in WORKER_FAULTS else None)


def test_an_answer_speaks_for_it_and_an_expired_message_for_nothing() -> None:
    """A message that came too late never reached it."""
    assert verdict(Delivered("w")) is True
    assert verdict(Expired()) is None
