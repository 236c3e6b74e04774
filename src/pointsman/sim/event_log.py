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
from pointsman.model.outcome import Failed

Operating = (
    LegacyAnswered | FellBackToLegacy | Mirrored | RolloutMoved | HealthChecked | SecurityIncident | RequestFaulted
)


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
        case _:
            return _operating_words(event)


def _operating_words(event: Operating) -> str:
    """Return the words of what happens to the router rather than to a message."""
    match event:
        case LegacyAnswered():
            return f"legacy {event.client} {'ok' if event.ok else 'failed'}"
        case FellBackToLegacy():
            return f"to legacy {event.client} {event.reason}"
        case Mirrored():
            return f"mirrored {event.outcome} {event.kind}".rstrip()
        case RolloutMoved():
            return f"rollout {event.event} {event.was} -> {event.now} {event.stage} by {event.actor}"
        case HealthChecked():
            return f"health {event.component} {event.status}"
        case SecurityIncident():
            return f"incident {event.kind}"
        case RequestFaulted():
            return "request faulted"
