"""The event log: one line for each event, with everything by which two runs could differ and nothing else."""

from __future__ import annotations

from typing import get_args

from pointsman.model.events import (
    AccessDenied,
    Admitted,
    AttemptEnded,
    AttemptStarted,
    BreakerMoved,
    Ended,
    Event,
    FellBackToLegacy,
    HealthChecked,
    LegacyAnswered,
    MessageRefused,
    Mirrored,
    RequestFaulted,
    RolloutMoved,
    SecurityIncident,
    WorkerJoined,
    WorkerLeft,
)
from pointsman.model.keys import KeyFault
from pointsman.model.outcome import Cause, Delivered, Failed, Failure, Refusal, Refused
from pointsman.model.rollout import State
from pointsman.model.states import Status
from pointsman.sim.event_log import EventLog
from pointsman.testing.make import envelope

OF = envelope("a secret", client="c")
ID = OF.id
BROKEN = Failed(Failure.WORKER_ERROR, "words", worker="w", sent=True)

LINES: list[tuple[Event, str]] = [
    (WorkerJoined(100.0, "coders", "w"), "joined coders w"),
    (Admitted(100.000001, OF, 0.1, 0.1), f"admitted {ID} tactical"),
    (MessageRefused(100.5, OF, Refused(Refusal.FLOODING, "x")), f"refused {ID} c flooding"),
    (AttemptStarted(101.0, OF, "coders"), f"out {ID} coders attempt 0"),
    (AttemptEnded(102.0, OF, "coders", "w", 1.0, 1.0, Delivered("w")), f"back {ID} w Delivered"),
    (AttemptEnded(102.0, OF, "coders", "w", 1.0, 1.0, BROKEN), f"back {ID} w Failed worker_error"),
    (AttemptEnded(102.0, OF, "coders", "", 1.0, 1.0, None), f"back {ID} - cancelled"),
    (Ended(103.0, OF, Status.DELIVERED, None, "", 0.1, 3.0), f"ended {ID} delivered"),
    (Ended(103.0, OF, Status.EXPIRED, Cause.TTL, "words", 0.1, 3.0), f"ended {ID} expired ttl"),
    (BreakerMoved(104.0, "coders", "w", "closed", "open"), "breaker w closed -> open"),
    (WorkerLeft(105.0, "coders", "w"), "left coders w"),
    (AccessDenied(106.0, KeyFault.REVOKED), "denied revoked"),
    (LegacyAnswered(107.0, "c", 0.1, True), "legacy c ok"),
    (LegacyAnswered(107.0, "c", 0.1, False), "legacy c failed"),
    (FellBackToLegacy(107.0, "c", "no_worker"), "to legacy c no_worker"),
    (Mirrored(108.0, "compared", "match"), "mirrored compared match"),
    (Mirrored(108.0, "timed_out", ""), "mirrored timed_out"),
    (
        RolloutMoved(109.0, "trip", State.PARTIAL, State.ROLLED_BACK, "rolled_back", 0.0, "guard"),
        "rollout trip partial -> rolled_back rolled_back by guard",
    ),
    (HealthChecked(110.0, "engine", "pass", 0.1), "health engine pass"),
    (SecurityIncident(111.0, "record_tampered"), "incident record_tampered"),
    (RequestFaulted(112.0), "request faulted"),
]


def test_every_event_there_is_has_a_line() -> None:
    """In words that people read, at microseconds since the start."""
    log = EventLog(100.0)
    for event, _ in LINES:
        log.observe(event)
    assert [line.split(maxsplit=1)[1] for line in log.lines] == [words for _, words in LINES]
    assert [int(line.split()[0]) for line in log.lines] == [round((event.at - 100.0) * 1e6) for event, _ in LINES]
    assert {type(event) for event, _ in LINES} == set(get_args(Event))


def test_no_text_of_a_message_stands_in_it() -> None:
    """Logs are kept and shown to others."""
    log = EventLog(100.0)
    for event, _ in LINES:
        log.observe(event)
    assert b"secret" not in log.to_bytes()
    assert log.to_bytes().count(b"\n") == len(LINES) - 1


def test_a_message_without_a_class_has_a_line_too() -> None:
    """What was never classified is shown as such."""
    unknown = envelope()
    unknown.classification = None
    log = EventLog(0.0)
    log.observe(Admitted(1.0, unknown, 0.0, 0.0))
    assert log.lines[0].endswith("admitted 00000000000000000000000000000001 -")
