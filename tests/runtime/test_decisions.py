"""Decision records: complete, bounded, and without the text."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import msgspec

from pointsman.config.models import trained
from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.pipeline import Classifier
from pointsman.model.decision import Evidence
from pointsman.model.events import Admitted, AttemptEnded, Ended
from pointsman.model.message import Envelope
from pointsman.model.outcome import AttemptRecord, Cause
from pointsman.model.settings import Settings
from pointsman.model.states import Status
from pointsman.model.usage import Estimate, Usage
from pointsman.runtime.decisions import Decisions, record
from pointsman.testing.make import envelope


def ended(of: Envelope, status: Status = Status.DELIVERED, cause: Cause | None = None) -> Ended:
    """Return the event of a message's end."""
    return Ended(1010.0, of, status, cause, "", 0.25, 10.0)


def tried(worker: str, pool: str = "coders", queued_s: float = 0.5, result: str = "delivered") -> AttemptRecord:
    """Return the record of an attempt."""
    return AttemptRecord(1, pool, worker, result, queued_s, 0.5)


def test_a_record_says_why_and_where() -> None:
    """Class with probabilities and evidence, pool, worker, times, cause; who sent it, but not what."""
    of = envelope("the secret plan", client="x", priority="high", conversation_id="talk")
    assert of.classification is not None
    evidence = (Evidence("fix", "fix the", "tactical", 1.5),)
    of.classification = msgspec.structs.replace(
        of.classification, runner_up="strategic", margin=0.8, threshold=0.6, version="7", grounds=evidence
    )
    of.trail.append(tried("w"))
    of.classify_s, of.trace_id, of.replay_of = 0.001, "t" * 32, "r" * 32
    kept = record(of, Status.DEAD, Cause.OUTCOME_UNKNOWN, 0.25, 10.0)
    assert "secret" not in msgspec.json.encode(kept).decode()
    assert (kept.id, kept.client, kept.priority, kept.received) == (of.id, "x", "high", 1_700_000_000.0)
    assert (kept.message_class, kept.confidence, kept.cause) == ("tactical", 0.9, "rule")
    assert (kept.runner_up, kept.margin, kept.threshold, kept.version) == ("strategic", 0.8, 0.6, "7")
    assert (kept.evidence, kept.probabilities) == (evidence, {"tactical": 0.9, "strategic": 0.1})
    assert (kept.pool, kept.worker, kept.fallback, kept.attempts) == ("coders", "w", False, of.trail)
    assert (kept.status, kept.ended_cause, kept.overhead_s, kept.total_s) == ("dead", "outcome_unknown", 0.25, 10.0)
    assert (kept.queued_s, kept.classify_s) == (0.5, 0.001)
    assert (kept.conversation_id, kept.trace_id, kept.replay_of) == ("talk", "t" * 32, "r" * 32)


def test_a_record_of_a_message_that_has_just_come_is_possible() -> None:
    """Nothing is known of pool, worker or class yet, and nothing is made up."""
    of = envelope()
    of.classification, of.pool = None, ""
    fresh = record(of, Status.QUEUED)
    assert (fresh.message_class, fresh.confidence, fresh.pool, fresh.worker) == ("", 0.0, "", None)
    assert (fresh.queued_s, fresh.total_s, fresh.ended_cause, fresh.fallback) == (None, None, None, False)


def test_a_fallback_is_one_where_another_pool_served() -> None:
    """The pool is the one that had it last; the first hand-out says how long it was queued."""
    of = envelope()
    of.trail += [tried("w", queued_s=1.0, result="worker_error"), tried("p", "planners", 4.0)]
    kept = record(of, Status.DELIVERED)
    assert (kept.pool, kept.worker, kept.fallback, kept.queued_s) == ("planners", "p", True, 1.0)


def test_a_record_says_which_worker_was_preferred_and_what_it_waited_for() -> None:
    """At the last attempt, and whether it got that one; the waits of all attempts together."""
    of = envelope()
    assert (record(of, Status.QUEUED).preferred, record(of, Status.QUEUED).parked_s) == (None, 0.0)
    of.trail.append(msgspec.structs.replace(tried("w", result="worker_error"), preferred="w", parked_s=1.0))
    assert (record(of, Status.DELAYED).preferred, record(of, Status.DELAYED).got_preferred) == ("w", True)
    of.trail.append(msgspec.structs.replace(tried("v"), preferred="w", parked_s=0.5))
    last = record(of, Status.DELIVERED)
    assert (last.preferred, last.got_preferred, last.parked_s) == ("w", False, 1.5)
    of.trail.append(tried("v"))
    assert (record(of, Status.DELIVERED).preferred, record(of, Status.DELIVERED).got_preferred) == (None, None)


def test_the_oldest_records_go_first() -> None:
    """Bounded; what is no end is not kept."""
    decisions = Decisions(3)
    messages = [envelope(id=f"{number:032x}") for number in range(5)]
    decisions.observe(Admitted(1000.0, messages[0], 0.1, 0.1))
    assert len(decisions) == 0
    for message in messages:
        decisions.observe(ended(message))
    assert [decisions.get(message.id) is not None for message in messages] == [False, False, True, True, True]
    assert len(decisions) == 3


def test_a_cancelled_message_is_completed_by_the_attempt_it_had_out() -> None:
    """Its end is told first, the attempt ends after it; the record names the worker all the same."""
    decisions = Decisions(3)
    of = envelope()
    decisions.observe(ended(of, Status.CANCELLED, Cause.SENDER))
    of.trail.append(tried("p", "planners", 0.75, "cancelled"))
    decisions.observe(AttemptEnded(1011.0, of, "planners", "p", 0.5, 0.5, None))
    kept = decisions.get(of.id)
    assert kept is not None
    assert (kept.status, kept.ended_cause, kept.total_s) == ("cancelled", "sender", 10.0)
    assert (kept.pool, kept.worker, kept.fallback, kept.queued_s) == ("planners", "p", True, 0.75)
    assert [one.result for one in kept.attempts] == ["cancelled"]


def test_an_attempt_of_an_unknown_message_is_no_record() -> None:
    """A delivery cancelled for its lease has a message that goes on."""
    decisions = Decisions(3)
    decisions.observe(AttemptEnded(1011.0, envelope(), "coders", "w", 0.5, 0.5, None))
    assert len(decisions) == 0


def test_a_record_says_what_was_expected_and_what_was_taken() -> None:
    """Before the end what is known so far; of a cancelled stream what its attempt tells at last."""
    decisions = Decisions(3)
    of = envelope()
    of.estimate = Estimate(100, 50, 0.5)
    assert (record(of, Status.QUEUED).estimate, record(of, Status.QUEUED).usage) == (of.estimate, None)
    decisions.observe(ended(of, Status.CANCELLED, Cause.SENDER))
    of.usage, of.cost = Usage(90, 0, 0, 5), 0.125
    decisions.observe(AttemptEnded(1011.0, of, "planners", "p", 0.5, 0.5, None))
    kept = decisions.get(of.id)
    assert kept is not None
    assert (kept.estimate, kept.usage, kept.cost) == (of.estimate, of.usage, 0.125)


class Watched:
    """Grounds that count how often they are looked at."""

    looks = 0

    def evidence(self, message_class: str) -> tuple[Evidence, ...]:
        """What spoke for a class."""
        self.looks += 1
        return (Evidence("fix", 'says "fix"', message_class, 1.5),)

    def bias(self, message_class: str) -> float:
        """What counts whatever is asked."""
        return -0.25

    def logit(self, message_class: str) -> float:
        """The score."""
        return 1.25


def test_evidence_is_made_when_somebody_looks() -> None:
    """Keeping a record makes none; each look makes it anew, and it adds up."""
    decisions, of, grounds = Decisions(10), envelope("x"), Watched()
    assert of.classification is not None
    of.classification = msgspec.structs.replace(of.classification, grounds=grounds, overruled=("strategic",))
    decisions.observe(ended(of))
    decisions.observe(AttemptEnded(1011.0, of, "planners", "p", 0.5, 0.5, None))
    assert grounds.looks == 0
    kept = decisions.get(of.id)
    assert kept is not None
    assert grounds.looks == 1
    assert (kept.bias, kept.logit, kept.overruled) == (-0.25, 1.25, ("strategic",))
    assert [(one.feature, one.weight) for one in kept.evidence] == [("fix", 1.5)]
    assert kept.bias + sum(one.weight for one in kept.evidence) == kept.logit


def test_ten_thousand_records_keep_little_of_what_was_seen() -> None:
    """At most 30 MB more than without evidence, of messages of 360 characters, and no word of them."""
    settings = Settings()
    classifier = Classifier(settings.classifier, settings.classes, trained(settings, Path()))
    pins = ConversationPins(1.0, 1)
    text = "why does the import take four hours since we moved to the new cluster, and what would rule it out? " * 4
    tracemalloc.start()
    try:
        answers = [
            classifier.dry(ask=text, hint=None, client="c", conversation_id=None, now=0.0, pins=pins)
            for _ in range(500)
        ]
        took = tracemalloc.get_traced_memory()[0] / len(answers)
    finally:
        tracemalloc.stop()
    assert answers[0].cause == "model"
    assert took * 10_000 <= 30_000_000
