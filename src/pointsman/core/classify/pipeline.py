"""Puts the steps of classification in order, the first decisive one wins: hint, pin, forced rules, model, fallback.

A hint is what the sender wrote into the field or header that is there for it; words inside the message never are
one. A pin holds unless the message itself clearly asks for a dearer class. A message that says nothing decisive, or
nothing at all, goes to the fallback class with cause `abstain`, and its probabilities stay as they were found. What the
words say is read in `reading`, by a learned model where there is one, else by rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from pointsman.core.classify.builtin import STRATEGIC, TACTICAL, VERSION
from pointsman.core.classify.lessons import Lessons
from pointsman.core.classify.linear import LinearModel
from pointsman.core.classify.marks import marking_rules
from pointsman.core.classify.model_file import Reference
from pointsman.core.classify.names import AUTO, ClassNames
from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.reading import ModelReader, Reader, Reading, RuleReader, Terms, roles_of
from pointsman.core.classify.rules import RuleSet, read_rules
from pointsman.model.decision import Classification
from pointsman.model.errors import SettingsError, UsageError
from pointsman.model.settings import ClassifierSettings, ClassSettings

_SHOWN: Final = 5
"""Classes that an error names."""


_BY_WORDS: Final = frozenset({"model", "rule", "abstain"})
"""Causes of an answer that the words alone gave."""


class TrainedModel(msgspec.Struct, frozen=True):
    """A model and what else its file says that decides.

    Attributes:
        model: the model.
        version: its name, for records.
        threshold: confidence below which it abstains.
        rules: version of the built-in rules among its features, or empty.
        fingerprint: of its features and classes; what is learnt from feedback belongs to it.
        reference: what it was like on what it was trained on.
    """

    model: LinearModel
    version: str
    threshold: float
    rules: str = ""
    fingerprint: str = ""
    reference: Reference = Reference()


def _always(message_class: str) -> bool:
    return True


class Classifier:
    """Gives a message its class. Immutable; what it remembers lies in the `ConversationPins` it is handed.

    Without a model the built-in rules speak for the classes named (or aliased) `strategic` and `tactical`; where
    neither exists, only the user's own rules count.

    Args:
        settings: thresholds and the user's rules.
        classes: settings by class name, at least one, the fallback class among them.
        trained: the model, or None.
        lessons: what is learnt from feedback beside it, or None.

    `named_only` are the classes that no words of a message lead to: a hint, a pin or a forced rule must name them.

    Raises:
        SettingsError: one of the user's rules cannot work, or the model knows a class that the settings do not.
    """

    def __init__(
        self,
        settings: ClassifierSettings,
        classes: Mapping[str, ClassSettings],
        trained: TrainedModel | None = None,
        lessons: Lessons | None = None,
    ) -> None:
        self._names = ClassNames(classes)
        self._classes = tuple(classes)
        self._costs = {name: of.cost for name, of in classes.items()}
        own = read_rules(settings.rules)
        redefined = {rule.words for rule in own}
        roles = roles_of({role: self._names.resolve(role) for role in (STRATEGIC, TACTICAL)})
        thresholds = {name: of.threshold for name, of in classes.items() if of.threshold is not None}
        terms = self._terms = Terms(self._classes, self._costs, settings, thresholds, RuleSet(own))
        self._reader: Reader
        if trained is None:
            self._reader = RuleReader(terms, roles, redefined)
        else:
            marking = marking_rules(redefined) if trained.rules == VERSION else None
            self._reader = ModelReader(
                terms,
                trained.model,
                self._known(trained),
                version=trained.version,
                threshold=trained.threshold,
                marking=marking,
                lessons=lessons,
            )
        self.version = self._reader.version
        spoken_for = {rule.message_class for rule in own if rule.weight and not rule.force}
        self.named_only = sorted(self._reader.unread - spoken_for - {settings.fallback_class})

    def _known(self, trained: TrainedModel) -> dict[str, str]:
        """Return class of the settings by class of the model."""
        names = {name: self._names.resolve(name) for name in trained.model.classes}
        lost = [name for name, found in names.items() if found is None]
        if lost:
            known = ", ".join(self._names.known)
            more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
            shown = f"{', '.join(lost[:_SHOWN])}{more}"
            raise SettingsError(
                [
                    f"classifier.model: model {trained.version} knows {shown}, which no class is called: name"
                    f" one so, or give it as an alias; there are: {known}"
                ]
            )
        found = {name: of for name, of in names.items() if of is not None}
        if len(set(found.values())) < len(found):
            raise SettingsError([f"classifier.model: two classes of model {trained.version} name the same class"])
        return found

    def resolve(self, name: str) -> str | None:
        """Return the class that a name or alias stands for, or None."""
        return self._names.resolve(name)

    def classify(
        self,
        *,
        ask: str,
        hint: str | None,
        client: str,
        conversation_id: str | None,
        now: float,
        pins: ConversationPins,
        serves: Callable[[str], bool] = _always,
        second: Mapping[str, float] | None = None,
    ) -> Classification:
        """Return the class of a message and note it for its conversation.

        Args:
            ask: what the newest human wrote, whole (`ask.ask_of`); fences and quotes are left out here.
            hint: class or alias the sender named; None and `auto` leave the choice to us.
            client: owner of the conversation.
            conversation_id: None where the message belongs to none.
            now: monotonic seconds.
            pins: what conversations are remembered in.
            serves: whether some worker may be given messages of a class. Asked only where a pin decides: one to a class
                that nobody serves is dropped if somebody serves the class of the message's own words.
            second: somebody else's opinion of the words, a probability by class; see `is_unsure`.

        Raises:
            UsageError: no class is called `hint`. Check with `resolve` first: `core.validate` does for `class`.
        """
        answer = self.dry(
            ask=ask,
            hint=hint,
            client=client,
            conversation_id=conversation_id,
            now=now,
            pins=pins,
            serves=serves,
            second=second,
        )
        if conversation_id is not None:
            if answer.cause != "hint":
                # What was pinned is in the answer, or it was risen above, or dropped: it counts no longer.
                pins.drop(client, conversation_id)
            pins.settle(client, conversation_id, answer.message_class, self._costs, now)
        return answer

    def dry(
        self,
        *,
        ask: str,
        hint: str | None,
        client: str,
        conversation_id: str | None,
        now: float,
        pins: ConversationPins,
        serves: Callable[[str], bool] = _always,
        second: Mapping[str, float] | None = None,
    ) -> Classification:
        """Return what `classify` would, and remember nothing."""
        if hint is not None and hint != AUTO:
            return self._hinted(hint)
        reading = self._reader.read(ask)
        if second is not None:
            reading = self._terms.seconded(reading, second)
        if conversation_id is not None:
            pinned = pins.get(client, conversation_id, now)
            if (
                pinned is not None
                and pinned in self._costs
                and not self._overrules(reading.message_class, reading.cause, pinned, serves)
            ):
                # The probability stays that of the words: what was said before makes a class right, not likely.
                reading = reading._replace(message_class=pinned, cause="pin")
        return self._answer(reading)

    def is_unsure(self, answer: Classification) -> bool:
        """Whether a second opinion is worth its time: the words decided, and not clearly."""
        below = self._terms.settings.second_opinion_below
        return answer.cause in _BY_WORDS and max(answer.probabilities.values()) < below

    def _hinted(self, hint: str) -> Classification:
        message_class = self._names.resolve(hint)
        if message_class is None:
            known = ", ".join(self._names.known)
            raise UsageError(f"no class is called {hint!r}; known: {known}; resolve hints before you classify")
        return self._answer(Reading(message_class, "hint", self._certain(message_class), 0.0, ()))

    def _overrules(self, own: str, cause: str, pinned: str, serves: Callable[[str], bool]) -> bool:
        """Whether the words clearly ask for a dearer class, or nobody serves the pinned one but somebody theirs."""
        if cause != "abstain" and self._costs[own] > self._costs[pinned]:
            return True
        return own != pinned and not serves(pinned) and serves(own)

    def _certain(self, message_class: str) -> dict[str, float]:
        return {name: float(name == message_class) for name in self._classes}

    def _answer(self, reading: Reading) -> Classification:
        odds = reading.probabilities
        confidence = odds[reading.message_class]
        others = [name for name in odds if name != reading.message_class]
        runner_up = max(others, key=odds.__getitem__) if others else ""
        return Classification(
            message_class=reading.message_class,
            confidence=confidence,
            probabilities=odds,
            cause=reading.cause,
            runner_up=runner_up,
            margin=confidence - odds[runner_up] if runner_up else confidence,
            threshold=reading.threshold,
            version=self.version,
            grounds=reading.grounds,
            unknown_share=reading.unknown_share,
            overruled=reading.overruled,
        )
