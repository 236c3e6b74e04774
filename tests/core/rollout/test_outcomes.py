"""Which events the guard counts: what the candidate did wrong, once, and nothing that others did."""

from __future__ import annotations

import pytest

from pointsman.core.rollout.guard import Seen
from pointsman.core.rollout.outcomes import OWN_FAULT, seen
from pointsman.model.events import Ended, FellBackToLegacy, LegacyAnswered, MessageRefused
from pointsman.model.outcome import Cause, Failure, Refusal, Refused
from pointsman.model.states import Status
from pointsman.testing.make import envelope


def ended(status: Status, cause: Cause | None = None, lane: str = "candidate", overhead_s: float = 0.5) -> Ended:
    """Return the end of a message."""
    of = envelope(client="lena")
    of.lane = lane
    return Ended(0.0, of, status, cause, "", overhead_s, 1.0)


def refused(reason: Refusal, lane: str = "candidate") -> MessageRefused:
    """Return the refusal of a message."""
    of = envelope(client="lena")
    of.lane = lane
    return MessageRefused(0.0, of, Refused(reason, ""))


@pytest.mark.parametrize(
    ("status", "cause", "wanted"),
    [
        (Status.DELIVERED, None, Seen("lena", False, 0.5)),
        (Status.DEAD, Cause.ATTEMPTS_USED_UP, Seen("lena", True, 0.5)),
        (Status.DEAD, Cause.OUTCOME_UNKNOWN, Seen("lena", True, 0.5)),
        (Status.EXPIRED, Cause.TTL, Seen("lena", True, 0.5)),
        (Status.FAILED, Cause.MESSAGE_FAULT, None),
        (Status.CANCELLED, Cause.SENDER, None),
        (Status.CANCELLED, Cause.SHUTDOWN, None),
        (Status.CANCELLED, Cause.STRANDED, Seen("lena", True)),
    ],
)
def test_ends_count_by_whose_doing_they_are(status, cause, wanted):
    """Dead and expired are the candidate's; a wrong message and a sender who left are not."""
    assert seen(ended(status, cause)) == wanted


@pytest.mark.parametrize("reason", Refusal)
def test_refusals_count_where_the_router_could_not_take_it(reason):
    """What the sender did wrong, and a router that stops, say nothing of the candidate."""
    wanted = Seen("lena", True) if reason.value in {"unavailable", "no_worker", "overloaded", "queue_full"} else None
    assert seen(refused(reason)) == wanted
    assert (reason in OWN_FAULT) == (wanted is not None)


@pytest.mark.parametrize("lane", ["", "legacy"])
def test_messages_of_other_lanes_do_not_count(lane):
    """Before a rollout, and what the shadow does, is none of the guard's business."""
    assert seen(ended(Status.DEAD, Cause.ATTEMPTS_USED_UP, lane)) is None
    assert seen(refused(Refusal.UNAVAILABLE, lane)) is None


@pytest.mark.parametrize("reason", [*sorted(OWN_FAULT), *Failure, *Cause, "dead", "expired", "draining"])
def test_a_fallback_that_was_counted_before_counts_once(reason):
    """The refusal or the end that made it fall back has been seen; a stopping router is nobody's fault."""
    assert seen(FellBackToLegacy(0.0, "lena", str(reason))) is None


@pytest.mark.parametrize("reason", ["internal", "something new"])
def test_a_fallback_for_anything_else_counts(reason):
    """It must not hide a candidate that is broken before a message is admitted."""
    assert seen(FellBackToLegacy(0.0, "lena", reason)) == Seen("lena", True)


def test_what_the_legacy_answers_says_nothing_of_the_candidate():
    """Not even where it failed."""
    assert seen(LegacyAnswered(0.0, "lena", 1.0, False)) is None
