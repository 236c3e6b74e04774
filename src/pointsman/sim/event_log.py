"""Events as lines of text: what two runs of the same seed must have in common to the last byte."""

from __future__ import annotations

from pointsman.model.events import (
    AccessDenied,
    Admitted,
    AttemptEnded,
    AttemptStarted,
    BreakerMoved,
    Ended,
    Event,
    MessageRefused,
    WorkerJoined,
    WorkerLeft,
)
from pointsman.model.outcome import Failed


class EventLog:
    """Collects one line an event: time since the start in microseconds, what happened, to which message or worker."""

    def __init__(self, start_s: float) -> None:
        self._start_s = start_s
        self.lines: list[str] = []

    def observe(self, event: Event) -> None:
        """Write the event down."""
        micros = round((event.at - self._start_s) * 1e6)
        self.lines.append(f"{micros:>14} {_words(event)}")

    def to_bytes(self) -> bytes:
        """Return the log."""
        return "\n".join(self.lines).encode()


def _words(event: Event) -> str:
    match event:
        case MessageRefused():
            return f"refused {event.envelope.id} {event.envelope.client} {event.refused.reason}"
        case Admitted():
            classification = event.envelope.classification
            return f"admitted {event.envelope.id} {classification.message_class if classification else '-'}"
        case AttemptStarted():
            return f"out {event.envelope.id} {event.pool} attempt {event.envelope.attempt}"
        case AttemptEnded():
            outcome = event.outcome
            said = "cancelled" if outcome is None else type(outcome).__name__
            reason = outcome.reason if isinstance(outcome, Failed) else ""
            return f"back {event.envelope.id} {event.worker or '-'} {said} {reason}".rstrip()
        case Ended():
            return f"ended {event.envelope.id} {event.status} {event.cause or ''}".rstrip()
        case BreakerMoved():
            return f"breaker {event.worker} {event.was} -> {event.now}"
        case WorkerJoined():
            return f"joined {event.pool} {event.worker}"
        case WorkerLeft():
            return f"left {event.pool} {event.worker}"
        case AccessDenied():
            return f"denied {event.fault}"
