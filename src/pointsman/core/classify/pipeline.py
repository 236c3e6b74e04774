"""Puts the steps of classification in order; the first decisive one wins: hint, pin, rules, fallback class.

A hint is what the sender wrote into the field or header that is there for it; words inside the message never are
one. A pin holds unless the message itself clearly asks for a dearer class. A message that says nothing decisive, or
nothing at all, goes to the fallback class with cause `abstain`, and its probabilities stay as they were found. The
learned model of a later version takes its place between rules and fallback: it answers with evidence and scores of
the same kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from pointsman.core.classify.ask import extract
from pointsman.core.classify.builtin import STRATEGIC, TACTICAL, VERSION, builtin_rules
from pointsman.core.classify.evidence import probabilities, score, strongest, weigh_builtin, weigh_own, weigh_shape
from pointsman.core.classify.names import AUTO, ClassNames
from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.rules import RuleSet, read_rules
from pointsman.core.classify.structure import shape_of
from pointsman.core.classify.tokens import tokenize
from pointsman.model.decision import Classification, Evidence
from pointsman.model.errors import UsageError
from pointsman.model.settings import ClassifierSettings, ClassSettings


class _Reading(NamedTuple):
    """What the words alone say."""

    message_class: str
    cause: str
    probabilities: dict[str, float]
    evidence: tuple[Evidence, ...]


class Classifier:
    """Gives a message its class. Immutable; what it remembers lies in the `ConversationPins` it is handed.

    The built-in rules speak for the classes named (or aliased) `strategic` and `tactical`; where neither exists,
    only the user's own rules count.

    Args:
        settings: thresholds and the user's rules.
        classes: settings by class name, at least one, the fallback class among them.

    Raises:
        SettingsError: one of the user's rules cannot work.
    """

    def __init__(self, settings: ClassifierSettings, classes: Mapping[str, ClassSettings]) -> None:
        self._settings = settings
        self._names = ClassNames(classes)
        self._classes = tuple(classes)
        self._costs = {name: of.cost for name, of in classes.items()}
        resolved = {role: self._names.resolve(role) for role in (STRATEGIC, TACTICAL)}
        self._roles = {role: name for role, name in resolved.items() if name is not None}
        own = read_rules(settings.rules)
        redefined = {rule.words for rule in own}
        self._own = RuleSet(own)
        self._builtin = RuleSet(
            msgspec.structs.replace(rule, message_class=self._roles[rule.message_class])
            for rule in builtin_rules()
            if rule.message_class in self._roles and rule.words not in redefined
        )
        self.version = f"{VERSION}+{len(own)}" if own else VERSION

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
    ) -> Classification:
        """Return the class of a message and note it for its conversation.

        Args:
            ask: what the newest human wrote, whole (`ask.ask_of`); fences and quotes are left out here.
            hint: class or alias the sender named; None and `auto` leave the choice to us.
            client: owner of the conversation.
            conversation_id: None where the message belongs to none.
            now: monotonic seconds.
            pins: what conversations are remembered in.

        Raises:
            UsageError: no class is called `hint`. Check with `resolve` first: `core.validate` does for `class`.
        """
        answer = self.dry(ask=ask, hint=hint, client=client, conversation_id=conversation_id, now=now, pins=pins)
        if conversation_id is not None:
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
    ) -> Classification:
        """Return what `classify` would, and remember nothing."""
        if hint is not None and hint != AUTO:
            return self._hinted(hint)
        reading = self._read(ask)
        if conversation_id is not None:
            pinned = pins.get(client, conversation_id, now)
            if pinned is not None and pinned in self._costs and not self._rises(reading, pinned):
                # The probability stays that of the words: what was said before makes a class right, not likely.
                reading = reading._replace(message_class=pinned, cause="pin")
        return self._answer(reading)

    def _hinted(self, hint: str) -> Classification:
        message_class = self._names.resolve(hint)
        if message_class is None:
            known = ", ".join(self._names.known)
            raise UsageError(f"no class is called {hint!r}; known: {known}; resolve hints before you classify")
        return self._answer(_Reading(message_class, "hint", self._certain(message_class), ()))

    def _rises(self, reading: _Reading, pinned: str) -> bool:
        """Whether the words clearly ask for a dearer class. An abstained message asks for nothing."""
        return reading.cause == "rule" and self._costs[reading.message_class] > self._costs[pinned]

    def _read(self, ask: str) -> _Reading:
        """Classify by the words alone."""
        tokens = tokenize(extract(ask))
        found: list[Evidence] = []
        if self._own.count:
            own = self._own.match(tokens)
            found = weigh_own(own)
            forced = {rule.message_class for rule, _ in own if rule.force}
            if forced:
                dearest = max(forced, key=self._costs.__getitem__)
                return _Reading(dearest, "rule", self._certain(dearest), strongest(found))
        if self._roles:
            found += weigh_builtin(self._builtin.match(tokens))
        spoken = bool(found)
        found += weigh_shape(shape_of(ask, tokens), self._roles)
        odds = probabilities(score(found, self._classes))
        likeliest = max(odds, key=lambda name: (odds[name], self._costs[name]))
        if not spoken or odds[likeliest] < self._settings.threshold:
            return _Reading(self._settings.fallback_class, "abstain", odds, strongest(found))
        return _Reading(likeliest, "rule", odds, strongest(found))

    def _certain(self, message_class: str) -> dict[str, float]:
        return {name: float(name == message_class) for name in self._classes}

    def _answer(self, reading: _Reading) -> Classification:
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
            threshold=self._settings.threshold,
            version=self.version,
            evidence=reading.evidence,
        )
