"""What the classifier answered, and the record that proves afterwards why a message went where it went."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from pointsman.model.outcome import AttemptRecord
from pointsman.model.usage import Estimate, Usage


class Evidence(msgspec.Struct, frozen=True, gc=False):
    """One thing that spoke for a class.

    Attributes:
        feature: a rule's name, or a feature of a model.
        found: the words in the message that it matched, cut to 60 characters.
        message_class: the class it speaks for.
        weight: signed contribution to that class's score (natural log-odds).
    """

    feature: str
    found: str
    message_class: str
    weight: float


class Grounds(Protocol):
    """What a model saw of a message, from which its evidence is made when somebody wants to see it."""

    def evidence(self, message_class: str) -> tuple[Evidence, ...]:
        """Return what spoke for a class and against it, strongest first."""
        ...

    def bias(self, message_class: str) -> float:
        """Return what speaks for a class whatever the message, natural log-odds."""
        ...

    def logit(self, message_class: str) -> float:
        """Return the score of a class, which bias and evidence add up to; of two classes its log-odds."""
        ...


class Classification(msgspec.Struct, frozen=True):
    """The class of a message and why.

    Attributes:
        message_class: the class that decides the pool.
        confidence: calibrated probability of `message_class`, 0..1; 1.0 for a hint or a forced rule.
        probabilities: by class; they sum to 1.
        cause: `hint`, `pin`, `rule`, `model` or `abstain` (nothing decisive: the configured fallback class).
        runner_up: the next best class, or an empty string.
        margin: confidence minus that of the runner-up.
        threshold: the confidence below which the classifier abstains, 0..1.
        version: of the rules or model that decided.
        grounds: why; see `evidence`.
        unknown_share: of its words, 0..1, that the model does not know.
        overruled: cheaper classes that rules of the user's force too: two of his rules contradict each other.
    """

    message_class: str
    confidence: float
    probabilities: dict[str, float]
    cause: str
    runner_up: str = ""
    margin: float = 1.0
    threshold: float = 0.0
    version: str = ""
    grounds: Any = ()
    unknown_share: float = 0.0
    overruled: tuple[str, ...] = ()

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What spoke for the class and against it, strongest first; made anew with each look."""
        grounds: tuple[Evidence, ...] | Grounds = self.grounds
        return grounds if isinstance(grounds, tuple) else grounds.evidence(self.message_class)

    @property
    def bias(self) -> float:
        """What spoke for the class whatever the message, log-odds; with the evidence it makes the score."""
        grounds: tuple[Evidence, ...] | Grounds = self.grounds
        return 0.0 if isinstance(grounds, tuple) else grounds.bias(self.message_class)

    @property
    def logit(self) -> float | None:
        """The score of the class, which bias and evidence add up to; None where no model was asked."""
        grounds: tuple[Evidence, ...] | Grounds = self.grounds
        return None if isinstance(grounds, tuple) else grounds.logit(self.message_class)


class Decision(msgspec.Struct, kw_only=True, gc=False, rename={"message_class": "class"}):
    """The decision record of one message, without its text.

    Times are seconds since acceptance; instants are Unix seconds. `usage` and `cost` are those of all
    attempts together, and so is `parked_s`, the seconds for which it waited for a particular worker while others were
    free. `preferred` is the worker that its conversation preferred at the last attempt, and `got_preferred` says
    whether it got that one. `bias`, `logit` and `overruled` are those of `Classification`. Kept after the end, see
    `runtime.decisions`.
    """

    id: str
    client: str
    received: float
    priority: str
    message_class: str
    confidence: float
    probabilities: dict[str, float]
    cause: str
    runner_up: str
    margin: float
    threshold: float
    version: str
    evidence: tuple[Evidence, ...]
    pool: str
    worker: str | None
    fallback: bool
    status: str
    ended_cause: str | None
    attempts: list[AttemptRecord]
    queued_s: float | None
    total_s: float | None
    overhead_s: float | None
    classify_s: float | None
    conversation_id: str | None
    replay_of: str | None
    trace_id: str
    key_id: str | None = None
    estimate: Estimate | None = None
    usage: Usage | None = None
    cost: float | None = None
    preferred: str | None = None
    got_preferred: bool | None = None
    parked_s: float = 0.0
    bias: float = 0.0
    logit: float | None = None
    overruled: tuple[str, ...] = ()
