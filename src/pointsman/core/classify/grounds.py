"""What a model saw of an ask, kept small and without its words, and the evidence made of it when somebody looks.

Making evidence takes longer than deciding, and few decisions are ever looked at. So an answer carries the numbers of
the model's own features that it knew, two bytes each, and nothing else of the text: what the model does not know
leaves no trace.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Final

import msgspec

from pointsman.core.classify.evidence import FOUND_CHARACTERS, KEEP
from pointsman.core.classify.linear import LinearModel
from pointsman.core.classify.marks import role_of
from pointsman.core.classify.rules import Rule
from pointsman.core.classify.wording import words_for
from pointsman.model.decision import Evidence

BEYOND: Final = 4.0
"""How far, in log-odds, a class that the model does not know begins below the least likely one that it knows."""


def least(values: list[float]) -> float:
    """Return the score from which a class begins that the model does not know."""
    lowest = min(values) if len(values) > 1 else min(0.0, values[0])
    return lowest - BEYOND


class ModelGrounds(msgspec.Struct, frozen=True, gc=False):
    """Why a model answered as it did.

    Attributes:
        model: the model.
        classes: of the settings, in its order.
        values: its scores, without what the user's rules added.
        seen: numbers of the features that it knew.
        measured: sizes of the ask, or empty.
        own: what the user's rules added.
        fired: built-in rules behind its marks.
    """

    model: LinearModel
    classes: tuple[str, ...]
    values: list[float]
    seen: array[int]
    measured: tuple[float, ...]
    own: tuple[Evidence, ...]
    fired: tuple[Rule, ...]

    def bias(self, message_class: str) -> float:
        """Return what counts for a class whatever is asked; for one that the model does not know, all but rules."""
        if message_class not in self.classes:
            return self.logit(message_class) - sum(one.weight for one in self.own if one.message_class == message_class)
        at = self.classes.index(message_class)
        if len(self.model.bias) > 1:
            return self.model.bias[at]
        return self.model.bias[0] if at else -self.model.bias[0]

    def logit(self, message_class: str) -> float:
        """Return the score of a class; of a model of two classes the log-odds of the one against the other."""
        own = sum(one.weight for one in self._own(message_class))
        if message_class not in self.classes:
            return least(self.values) + own
        at = self.classes.index(message_class)
        if len(self.values) > 1:
            return self.values[at] + own
        return (self.values[0] if at else -self.values[0]) + own

    def evidence(self, message_class: str) -> tuple[Evidence, ...]:
        """Return what was added to the score of a class, or taken from it: the strongest first, the weakest as one.

        With the bias they add up to `logit`.
        """
        listed = [one for one in (*self._own(message_class), *self._of_model(message_class)) if one.weight]
        listed.sort(key=lambda one: -abs(one.weight))
        if len(listed) > KEEP:
            rest = listed[KEEP - 1 :]
            told = f"{len(rest)} weaker ones"
            listed[KEEP - 1 :] = [Evidence("...", told, message_class, sum(one.weight for one in rest))]
        return tuple(listed)

    def _of_model(self, message_class: str) -> Iterator[Evidence]:
        if message_class not in self.classes:
            return
        at, narrow = self.classes.index(message_class), len(self.model.bias) == 1
        sign = -1.0 if narrow and not at else 1.0
        for name, amount in self.model.contributions(self.seen, self.measured, 0 if narrow else at):
            yield Evidence(name, self._found(name), message_class, amount * sign)

    def _found(self, feature: str) -> str:
        """Return what a feature is, in words; of a mark the phrases behind it."""
        role = role_of(feature)
        told = words_for(feature)
        if role:
            phrases = dict.fromkeys(rule.phrase for rule in self.fired if rule.weight and rule.message_class == role)
            told = f"{told}: {', '.join(phrases)}"
        return told if len(told) <= FOUND_CHARACTERS else f"{told[: FOUND_CHARACTERS - 3]}..."

    def _own(self, message_class: str) -> Iterator[Evidence]:
        """Yield what the user's rules added; of two classes what speaks for the other speaks against this one."""
        opposed = len(self.model.bias) == 1 and message_class in self.classes
        for one in self.own:
            if one.message_class == message_class:
                yield one
            elif opposed and one.message_class in self.classes:
                yield Evidence(one.feature, one.found, message_class, -one.weight)
