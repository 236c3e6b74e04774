"""Two opinions of one ask made one: the mean of their logits, and evidence that still adds up.

The first is the model's own, which costs microseconds; the second comes from an embedding of the text or whatever else
the user has, costs milliseconds, and is asked only where the first is unsure. The mean of the logits of a linear model
and of embeddings was right more often than either alone (study of classifiers, section 3.1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import msgspec

from pointsman.model.decision import Evidence, Grounds

FEATURE: Final = "embedding"
_LEAST: Final = 1e-6
"""Probability that nobody's opinion falls below, so that one cannot forbid what the other says."""


def blend(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    """Return probabilities by the mean of the logits of two opinions.

    Args:
        first: by class; says which classes there are.
        second: by class, at least one of them; a class that it does not name gets the least probability.
    """
    logs = {name: (_log(first[name]) + _log(second.get(name, 0.0))) / 2.0 for name in first}
    highest = max(logs.values())
    raised = {name: math.exp(value - highest) for name, value in logs.items()}
    total = sum(raised.values())
    return {name: value / total for name, value in raised.items()}


def shifts(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    """Return by class what the second opinion adds to its score; of two classes, to its log-odds."""
    moved = {name: (_log(second.get(name, 0.0)) - _log(first[name])) / 2.0 for name in first}
    if len(moved) == 2:
        one, other = moved
        return {one: moved[one] - moved[other], other: moved[other] - moved[one]}
    return moved


def _log(share: float) -> float:
    return math.log(max(_LEAST, share))


class Blended(msgspec.Struct, frozen=True):
    """The grounds of a model with what a second opinion added.

    Attributes:
        grounds: of the model.
        added: by class, see `shifts`.
    """

    grounds: Grounds
    added: dict[str, float]

    def bias(self, message_class: str) -> float:
        """Return that of the model."""
        return self.grounds.bias(message_class)

    def logit(self, message_class: str) -> float:
        """Return the score of a class with what was added."""
        return self.grounds.logit(message_class) + self.added[message_class]

    def evidence(self, message_class: str) -> tuple[Evidence, ...]:
        """Return the evidence of the model and what was added, the strongest first."""
        amount = self.added[message_class]
        listed = [
            *self.grounds.evidence(message_class),
            Evidence(FEATURE, "the second opinion", message_class, amount),
        ]
        listed.sort(key=lambda one: -abs(one.weight))
        return tuple(listed)
