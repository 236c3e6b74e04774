"""What users say of messages afterwards, what was made of it, and how the classifier stands. Plain data."""

from __future__ import annotations

from typing import Final

import msgspec

OUTCOMES: Final = ("ok", "failed")
"""How a message may have gone."""

FEEDBACK_KINDS: Final = ("label", *OUTCOMES)
DELTA_STATES: Final = ("none", "shadow", "in_use")
"""Nothing was learnt; what was learnt is only compared; it is used."""


class FeedbackReceipt(msgspec.Struct, frozen=True, omit_defaults=False, rename={"message_class": "class"}):
    """What was made of a feedback.

    Attributes:
        id: of the message.
        message_class: the class that it speaks for; null where it speaks for none.
        weight: with which it was learnt, 0..1; a label counts 1, less where its sender has said much of late.
        replaced: it took the place of an earlier one for the same message.
        note: why nothing was learnt, or empty.
        delta: `none`, `shadow` or `in_use`, afterwards.
    """

    id: str
    message_class: str | None
    weight: float
    replaced: bool
    note: str
    delta: str


class DeltaStatus(msgspec.Struct, frozen=True):
    """How what was learnt from feedback stands.

    Attributes:
        state: `none`, `shadow` (it is only compared with the model) or `in_use`.
        features: of which it has weights.
        trial: number of the comparison that runs.
        feedbacks: counted in it.
        weight: their sum.
        senders: who gave them.
        advantage: mean gain over the model alone, -1..1, in squared error.
        proof: how far the advantage is proven: from 1 on it is.
        saved: a restart knows it.
        alarm: why an earlier one could not be read, or this one not be written; or empty.
    """

    state: str
    features: int
    trial: int
    feedbacks: int
    weight: float
    senders: int
    advantage: float
    proof: float
    saved: bool
    alarm: str


class ClassifierStatus(msgspec.Struct, frozen=True):
    """The classifier at a glance.

    Attributes:
        model: that decides, or the version of the rules.
        threshold: confidence below which it abstains, where no class has one of its own; null where rules decide.
        looked_at: messages that the figures are of.
        abstain_share: of these, the share that abstained; null below 200 messages.
        abstain_share_max: share above which an alert fires.
        abstain_day_cost: what abstaining has cost over the last day, in the unit of `classes.*.cost`.
        drift: how far messages have moved from what the model was trained on, by kind; see the explanation of drift.
        feedback: how many were given since the start, by kind.
        delta: what was learnt from them.
    """

    model: str
    threshold: float | None
    looked_at: int
    abstain_share: float | None
    abstain_share_max: float
    abstain_day_cost: float
    drift: dict[str, float]
    feedback: dict[str, int]
    delta: DeltaStatus
