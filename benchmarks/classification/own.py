"""The project's own messages, and a classifier that has learnt from some groups of them and not from others."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import cache
from pathlib import Path

from pointsman.config.models import default_stored, ready
from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.pipeline import Classifier, TrainedModel
from pointsman.model.decision import Classification
from pointsman.model.settings import ClassifierSettings, ClassSettings
from pointsman.operations.learning.course import Wanted, train

MESSAGES = Path(__file__).parents[2] / "data" / "default"
CLASSES = {"strategic": ClassSettings(pool="planners", cost=10.0), "tactical": ClassSettings(pool="coders")}
WANTED = Wanted(made="2000-01-01T00:00:00Z", made_by="benchmark")


@cache
def lines() -> tuple[bytes, ...]:
    """Return the rows."""
    return tuple(
        one + b"\n" for path in sorted(MESSAGES.glob("*.jsonl")) for one in path.read_bytes().splitlines() if one
    )


@cache
def texts() -> tuple[str, ...]:
    """Return the messages."""
    return tuple(json.loads(one)["text"] for one in lines())


@cache
def strangers() -> tuple[Classifier, tuple[str, ...]]:
    """Return a classifier that learnt from four fifths of the groups, and the messages of the others."""
    learnt: list[bytes] = []
    unseen: list[str] = []
    for one in lines():
        row = json.loads(one)
        digest = hashlib.sha256(str(row.get("group") or row["text"]).encode()).digest()
        if digest[0] % 5:
            learnt.append(one)
        else:
            unseen.append(row["text"])
    came = train(learnt, None, replace(WANTED, pieces=default_stored().pieces))
    return classifier(ready(came.stored, "strangers")), tuple(unseen)


def shipped() -> TrainedModel:
    """Return the model that comes along."""
    return ready(default_stored(), "default")


def classifier(model: TrainedModel) -> Classifier:
    """Return a classifier of the two usual classes by a model."""
    return Classifier(ClassifierSettings(), CLASSES, model)


def ask(of: Classifier, text: str) -> Classification:
    """Return what it answers; no conversation, no hint."""
    return of.classify(ask=text, hint=None, client="c", conversation_id=None, now=0.0, pins=_PINS)


_PINS = ConversationPins(3_600.0, 10)
