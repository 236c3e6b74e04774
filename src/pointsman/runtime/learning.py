"""Hears feedback: whose it may be, which class it speaks for, and what was seen of its message.

How much is learnt of it, and whether that is used, is decided in `core.classify.lessons`; what the messages of today
are like beside those of the training, in `core.classify.drift`. Here is what touches the world: the messages that can
still be spoken of, the clock, and, in `learning_keeping`, the file. Costs a message a few entries, kept for as long as
its decision record is.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import msgspec

from pointsman.core.classify.drift import Drift
from pointsman.core.classify.grounds import ModelGrounds
from pointsman.core.classify.lessons import Lessons, Shown, meaning
from pointsman.core.classify.model_file import Reference
from pointsman.core.classify.pipeline import Classifier, TrainedModel
from pointsman.core.classify.reading import TAUGHT
from pointsman.model.decision import Classification
from pointsman.model.errors import Forbidden, NotFound, UnknownClass, UsageError
from pointsman.model.events import Admitted, Event
from pointsman.model.feedback import FEEDBACK_KINDS, OUTCOMES, ClassifierStatus, DeltaStatus, FeedbackReceipt
from pointsman.model.settings import Settings
from pointsman.ports import Clock
from pointsman.runtime.learning_keeping import Keeping
from pointsman.runtime.observers import Observers

log = logging.getLogger("pointsman.learning")

_TAUGHT_CAUSES = frozenset({"model", "abstain"})
"""Causes of which something can be learnt: the words decided."""


class _Heard(msgspec.Struct, frozen=True, gc=False):
    """A message that can be spoken of: whose it is, whose word it is, what was answered, beside which lessons."""

    client: str
    sender: str
    answer: Classification
    lessons: Lessons | None


class Learning:
    """Feedback and drift of one router.

    Args:
        settings: how many messages are remembered.
        clock: time.
        beside: directory that the directory of models starts from.
        observers: whose events of admission are heard from now on.

    Attributes:
        lessons: what is learnt beside the model in use; None where rules decide.
        keeping: the file of it.
    """

    def __init__(self, settings: Settings, clock: Clock, beside: Path, observers: Observers) -> None:
        self.lessons: Lessons | None = None
        self.keeping = Keeping(clock)
        self._clock = clock
        self._beside = beside
        self._keep = settings.telemetry.keep_decisions
        self._messages: OrderedDict[str, _Heard] = OrderedDict()
        self._drift = Drift(None, {})
        self._counts = dict.fromkeys(FEEDBACK_KINDS, 0)
        self._settings = settings
        self._trained: TrainedModel | None = None
        self._classifier: Classifier | None = None
        observers.add(self._admitted, Admitted)

    def build(self, settings: Settings, trained: TrainedModel | None) -> Classifier:
        """Return a classifier, and hear feedback for it from now on. What is learnt beside a model stays in its file.

        Raises:
            SettingsError: see `Classifier`; nothing has changed then.
        """
        lessons = self._beside_model(trained)
        classifier = Classifier(settings.classifier, settings.classes, trained, lessons)
        same = lessons is self.lessons
        self._settings, self._classifier, self._trained, self.lessons = settings, classifier, trained, lessons
        reference = None if trained is None else named(trained.reference, classifier.resolve)
        self._drift.use(reference, self._costs(), same_model=same)
        if not same:
            fingerprint = trained.fingerprint if trained is not None else ""
            self.keeping.use(lessons, fingerprint, self._beside / settings.classifier.models_dir)
        return classifier

    def _beside_model(self, trained: TrainedModel | None) -> Lessons | None:
        """Return what is learnt beside a model; the same as before where it is the same model."""
        if trained is None:
            return None
        if self._trained is not None and self._trained.fingerprint == trained.fingerprint:
            return self.lessons
        return Lessons(len(trained.model.bias), trained.model.probabilities)

    def _admitted(self, event: Event) -> None:
        """Remember what was decided about a message."""
        if type(event) is not Admitted:
            return
        envelope = event.envelope
        answer = envelope.classification
        if answer is None:
            return
        self._drift.see(answer, event.at)
        messages = self._messages
        messages[envelope.id] = _Heard(envelope.client, envelope.key_id or envelope.client, answer, self.lessons)
        if len(messages) > self._keep:
            messages.popitem(last=False)

    def feedback(
        self, message_id: str, *, client: str, label: str | None = None, outcome: str | None = None
    ) -> FeedbackReceipt:
        """Take what a client says of one of its messages.

        Args:
            message_id: of the message.
            client: who says it.
            label: the class that would have been right, or an alias of it.
            outcome: `ok` or `failed`; exactly one of the two.

        Raises:
            UsageError: neither or both were given, or the outcome is no outcome.
            NotFound: the message is unknown, or was forgotten.
            Forbidden: it is another client's.
            UnknownClass: no class is called so.
        """
        if (label is None) == (outcome is None):
            raise UsageError("feedback is a label or an outcome, exactly one of the two")
        heard = self._messages.get(message_id)
        if heard is None:
            raise NotFound(f"there is no message {message_id[:128]!r}, or it came too long ago to be remembered")
        if heard.client != client:
            raise Forbidden(f"message {message_id!r} is another client's: only who sent it may say what came of it")
        if label is not None:
            return self._labelled(message_id, heard, label)
        return self._ended(message_id, heard, outcome or "")

    def _labelled(self, message_id: str, heard: _Heard, label: str) -> FeedbackReceipt:
        right = self._classifier.resolve(label) if self._classifier is not None else None
        if right is None:
            known = ", ".join(self._settings.classes)
            raise UnknownClass(f"label: no class is called {label[:64]!r}; there are: {known}")
        self._counts["label"] += 1
        receipt = self._teach(message_id, heard, right, 1.0)
        if receipt.weight and not receipt.replaced:
            odds = heard.answer.probabilities
            likeliest = max(odds, key=odds.__getitem__)
            self._drift.labelled(odds[likeliest], right=likeliest == right)
        return receipt

    def _ended(self, message_id: str, heard: _Heard, outcome: str) -> FeedbackReceipt:
        if outcome not in OUTCOMES:
            raise UsageError(f"outcome: got {outcome[:40]!r}, expected {' or '.join(OUTCOMES)}")
        self._counts[outcome] += 1
        went_to, costs = heard.answer.message_class, self._costs()
        found = meaning(outcome, went_to, costs) if went_to in costs else None
        if found is None:
            how = "well" if outcome == "ok" else "badly"
            note = f"that a message of class {went_to} went {how} says nothing of another class"
            return self._receipt(message_id, None, note=note)
        return self._teach(message_id, heard, *found)

    def _teach(self, message_id: str, heard: _Heard, right: str, weight: float) -> FeedbackReceipt:
        answer, lessons, grounds = heard.answer, self.lessons, heard.answer.grounds
        if not isinstance(grounds, ModelGrounds) or answer.cause not in _TAUGHT_CAUSES:
            note = f"its class came of a {answer.cause}, and not of the words alone, so that nothing is learnt"
            return self._receipt(message_id, right, note=note)
        if lessons is None or heard.lessons is not lessons:
            return self._receipt(message_id, right, note="another model decided it, and that one is in use no more")
        if right not in grounds.classes:
            return self._receipt(message_id, right, note=f"the model knows no class {right}; train one that does")
        at = grounds.classes.index(right)
        given, replaced = lessons.hear(message_id, heard.sender, shown_by(grounds), at, weight)
        self.keeping.changed()
        note = "" if given.granted else "its sender has said much of late, so that this was not learnt"
        return self._receipt(message_id, right, round(given.granted, 6), replaced=replaced, note=note)

    def _receipt(
        self, message_id: str, right: str | None, weight: float = 0.0, *, replaced: bool = False, note: str = ""
    ) -> FeedbackReceipt:
        return FeedbackReceipt(message_id, right, weight, replaced, note, self._state())

    def rollback(self) -> ClassifierStatus:
        """Forget all that was learnt from feedback: the model decides alone, as if none had ever been given."""
        if self.lessons is not None:
            self.lessons.forget()
            self.keeping.changed()
            self.keeping.save()
            log.warning("what was learnt from feedback was dropped by order; the model decides alone")
        return self.status()

    def status(self) -> ClassifierStatus:
        """Return how the classifier stands."""
        now, trained, of = self._clock.monotonic(), self._trained, self._settings.classifier
        share = self._drift.abstain_share(now)
        return ClassifierStatus(
            model=self._classifier.version if self._classifier is not None else "",
            threshold=trained.threshold if trained is not None and of.threshold is None else of.threshold,
            looked_at=self._drift.looked_at(now),
            abstain_share=None if share is None else round(share, 6),
            abstain_share_max=of.abstain_share_max,
            abstain_day_cost=round(self._drift.abstain_day_cost(now), 6),
            drift={kind: round(figure, 6) for kind, figure in self._drift.figures(now).items()},
            feedback=dict(self._counts),
            delta=self._delta(),
        )

    def _state(self) -> str:
        lessons = self.lessons
        if lessons is None or not lessons.delta.cells:
            return "none"
        return "in_use" if lessons.live is not None else "shadow"

    def _delta(self) -> DeltaStatus:
        lessons, keeping = self.lessons, self.keeping
        if lessons is None:
            return DeltaStatus("none", 0, 0, 0, 0.0, 0, 0.0, 0.0, keeping.is_saved, keeping.alarm)
        trial, now = lessons.trial, lessons.trial.now
        return DeltaStatus(
            state=self._state(),
            features=len(lessons.delta.cells),
            trial=now.number,
            feedbacks=now.count,
            weight=round(now.weight, 6),
            senders=trial.senders,
            advantage=round(trial.advantage, 6),
            proof=round(max(0.0, now.fortune / trial.needed), 6),
            saved=keeping.is_saved,
            alarm=keeping.alarm,
        )

    def _costs(self) -> dict[str, float]:
        return {name: of.cost for name, of in self._settings.classes.items()}


def shown_by(grounds: ModelGrounds) -> Shown:
    """Return what a message showed a model: its features, and its scores without what was learnt from feedback."""
    values = list(grounds.values)
    for one in grounds.own:
        if one.feature != TAUGHT and one.message_class in grounds.classes:
            at = grounds.classes.index(one.message_class)
            if len(values) > 1:
                values[at] += one.weight
            else:
                values[0] += one.weight if at else -one.weight
    return Shown(grounds.seen, values)


def named(reference: Reference, resolve: Callable[[str], str | None]) -> Reference:
    """Return a reference whose classes are called as in the settings."""
    shares = {resolve(name) or name: share for name, share in reference.class_share.items()}
    return msgspec.structs.replace(reference, class_share=shares)
