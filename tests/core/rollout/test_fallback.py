"""When the old router may answer a message that this one failed at."""

from __future__ import annotations

import pytest

from pointsman.core.rollout.fallback import after_end, after_refusal
from pointsman.model.outcome import AttemptRecord, Refusal, Refused
from pointsman.model.states import Status
from pointsman.testing.make import envelope

OURS = {"unavailable", "no_worker", "overloaded", "queue_full", "not_stored", "draining"}


@pytest.mark.parametrize("refusal", list(Refusal))
def test_only_what_is_our_own_doing_falls_back(refusal: Refusal) -> None:
    """A refusal for what a message is, or for whom it is from, stands."""
    assert after_refusal(Refused(refusal, "why")) == (refusal.value if refusal in OURS else "")


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize(("attempts", "unsent"), [(0, 0), (1, 1), (3, 3), (1, 0), (3, 2), (2, 0)])
def test_only_the_dead_that_nobody_saw_fall_back(status: Status, attempts: int, unsent: int) -> None:
    """One hand-out that may have reached a worker is enough to let it rest."""
    message = envelope()
    message.attempt, message.unsent = attempts, unsent
    message.trail = [
        AttemptRecord(n + 1, "coders", "w", result, 0.0, 0.0)
        for n, result in enumerate(["worker_busy"] * (attempts - 1) + ["worker_unreachable"] * min(1, attempts))
    ]
    falls = status is Status.DEAD and attempts == unsent
    expected = ("worker_unreachable" if attempts else "dead") if falls else ""
    assert after_end(status.value, message) == expected
