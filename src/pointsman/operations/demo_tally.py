"""What the demonstration counts: an observer of events that both screens and the summary read."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from pointsman.model.events import Admitted, AttemptEnded, BreakerMoved, Ended, Event, MessageRefused
from pointsman.model.message import Envelope
from pointsman.model.outcome import Delivered
from pointsman.model.states import Status


@dataclass(slots=True, frozen=True)
class Story:
    """One line of the feed: what became of a message and why."""

    at: float
    client: str
    text: str
    message_class: str
    why: str
    worker: str
    result: str
    total_s: float


@dataclass(slots=True)
class WorkerTally:
    """Traffic of one worker."""

    delivered: int = 0
    failed: int = 0
    seconds: float = 0.0
    breaker: str = "closed"
    opened: int = 0


@dataclass(slots=True)
class Tally:
    """Everything counted since the start."""

    feed: deque[Story] = field(default_factory=lambda: deque(maxlen=200))
    stories: int = 0
    workers: dict[str, WorkerTally] = field(default_factory=dict)
    admitted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    refused_clients: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    overheads_s: list[float] = field(default_factory=list)

    def observe(self, event: Event) -> None:
        """Count an event."""
        match event:
            case Admitted():
                self._admitted(event.envelope)
            case MessageRefused():
                self.refused[event.refused.reason.value] += 1
                self.refused_clients[event.envelope.client] += 1
                self._tell(event.at, event.envelope, "", f"refused: {event.refused.reason.value}", 0.0)
            case AttemptEnded() if event.worker:
                tally = self.workers.setdefault(event.worker, WorkerTally())
                tally.seconds += event.worker_s
                if isinstance(event.outcome, Delivered):
                    tally.delivered += 1
                else:
                    tally.failed += 1
            case BreakerMoved():
                tally = self.workers.setdefault(event.worker, WorkerTally())
                tally.breaker = event.now
                tally.opened += event.now == "open"
            case Ended():
                self._ended(event)
            case _:
                pass

    def _admitted(self, envelope: Envelope) -> None:
        self.admitted += 1
        if envelope.classification is not None:
            self.classes[envelope.classification.message_class] += 1
            self.causes[envelope.classification.cause] += 1

    def _ended(self, event: Ended) -> None:
        self.ends[event.status.value] += 1
        if event.status is Status.DELIVERED:
            self.overheads_s.append(event.overhead_s)
        trail = event.envelope.trail
        workers = " > ".join(record.worker or "-" for record in trail[-2:]) if trail else ""
        self._tell(event.at, event.envelope, workers, event.status.value, event.total_s)

    def _tell(self, at: float, envelope: Envelope, worker: str, result: str, total_s: float) -> None:
        classification = envelope.classification
        self.stories += 1
        self.feed.append(
            Story(
                at=at,
                client=envelope.client,
                text=" ".join((envelope.ask or envelope.message.text or "").split()),
                message_class=classification.message_class if classification else "",
                why=why(envelope),
                worker=worker,
                result=result,
                total_s=total_s,
            )
        )

    def overhead_ms(self) -> dict[str, float]:
        """Return p50, p95 and p99 of the router's own part, milliseconds."""
        values = sorted(self.overheads_s)
        if not values:
            return {"p50": 0.0, "p95": 0.0, "p99": 0.0}
        return {
            f"p{share}": round(values[min(len(values) - 1, len(values) * share // 100)] * 1000.0, 3)
            for share in (50, 95, 99)
        }

    def summary(self) -> dict[str, object]:
        """Return the numbers that are printed at the end."""
        ends = {name: self.ends[name] for name in ("delivered", "failed", "dead", "expired", "cancelled")}
        return {
            "admitted": self.admitted,
            "refused": sum(self.refused.values()),
            **ends,
            "overhead_ms": self.overhead_ms(),
        }


def why(envelope: Envelope) -> str:
    """Return in a few words why a message got its class."""
    classification = envelope.classification
    if classification is None:
        return ""
    if classification.cause in {"hint", "pin", "abstain"}:
        return {"hint": "asked for", "pin": "same talk", "abstain": "unsure"}[classification.cause]
    for evidence in classification.evidence:
        if evidence.message_class == classification.message_class and evidence.weight > 0.0:
            return f"{classification.confidence:.0%} {evidence.found or evidence.feature}"
    return f"{classification.confidence:.0%}"
