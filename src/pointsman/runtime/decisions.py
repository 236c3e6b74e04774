"""The decision record of each message: why it went where it went, without its text. Bounded.

What a message's words added to its score is worked out when somebody looks: until then a record holds what the model
saw of it, see `core.classify.grounds`.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import msgspec

from pointsman.model.decision import Classification, Decision
from pointsman.model.events import AttemptEnded, Ended, Event
from pointsman.model.message import PRIORITIES, Envelope
from pointsman.model.outcome import Cause
from pointsman.model.states import Status


class Decisions:
    """Records by message id. An observer of events.

    Args:
        keep: records kept.
    """

    def __init__(self, keep: int) -> None:
        self.keep = keep
        # The first key of a plain dict is found slowly once many before it are gone.
        self._records: OrderedDict[str, tuple[Decision, Classification | None]] = OrderedDict()

    def observe(self, event: Event) -> None:
        """Keep the record of a message that has ended."""
        if type(event) is AttemptEnded and event.outcome is None:
            self._complete(event.envelope)
        elif type(event) is Ended:
            envelope = event.envelope
            known = _unexplained(envelope, event.status, event.cause, event.overhead_s, event.total_s)
            self._records[envelope.id] = known, envelope.classification
            if len(self._records) > self.keep:
                self._records.popitem(last=False)

    def _complete(self, envelope: Envelope) -> None:
        """Add the attempt that a cancelled message had out: it ends after its message."""
        known = self._records.get(envelope.id)
        if known is not None:
            decision, classification = known
            self._records[envelope.id] = msgspec.structs.replace(decision, **_placement(envelope)), classification

    def get(self, message_id: str) -> Decision | None:
        """Return the record of an ended message that is still kept."""
        known = self._records.get(message_id)
        return None if known is None else _explained(*known)

    def __len__(self) -> int:
        """Records kept."""
        return len(self._records)


def record(
    envelope: Envelope,
    status: Status,
    cause: Cause | None = None,
    overhead_s: float | None = None,
    total_s: float | None = None,
) -> Decision:
    """Return the decision record of a message as things stand. Times in seconds."""
    return _explained(_unexplained(envelope, status, cause, overhead_s, total_s), envelope.classification)


def _explained(decision: Decision, classification: Classification | None) -> Decision:
    if classification is None:
        return decision
    return msgspec.structs.replace(
        decision, evidence=classification.evidence, bias=classification.bias, logit=classification.logit
    )


def _unexplained(
    envelope: Envelope, status: Status, cause: Cause | None, overhead_s: float | None, total_s: float | None
) -> Decision:
    classification = envelope.classification
    return Decision(
        id=envelope.id,
        client=envelope.client,
        received=envelope.received_wall,
        priority=PRIORITIES[envelope.level],
        message_class=classification.message_class if classification else "",
        confidence=classification.confidence if classification else 0.0,
        probabilities=classification.probabilities if classification else {},
        cause=classification.cause if classification else "",
        runner_up=classification.runner_up if classification else "",
        margin=classification.margin if classification else 0.0,
        threshold=classification.threshold if classification else 0.0,
        version=classification.version if classification else "",
        evidence=(),
        overruled=classification.overruled if classification else (),
        status=status,
        ended_cause=cause.value if cause else None,
        attempts=envelope.trail,
        total_s=total_s,
        overhead_s=overhead_s,
        classify_s=envelope.classify_s,
        conversation_id=envelope.message.conversation_id,
        replay_of=envelope.replay_of,
        trace_id=envelope.trace_id,
        key_id=envelope.key_id or None,
        estimate=envelope.estimate,
        **_placement(envelope),
    )


def _placement(envelope: Envelope) -> dict[str, Any]:
    """Return what the attempts so far say about where the message went and what it took."""
    trail = envelope.trail
    last = trail[-1] if trail else None
    return {
        "pool": last.pool if last else envelope.pool,
        "worker": last.worker if last and last.worker else None,
        "fallback": last is not None and last.pool != envelope.pool,
        "queued_s": trail[0].queued_s if trail else None,
        "usage": envelope.usage,
        "cost": envelope.cost,
        "preferred": last.preferred if last and last.preferred else None,
        "got_preferred": last.worker == last.preferred if last and last.preferred else None,
        "parked_s": sum([record.parked_s for record in trail]),
    }
