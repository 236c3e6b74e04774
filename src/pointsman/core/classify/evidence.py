"""From what was found in an ask to probabilities: how much each hit counts, and how sure the sum makes us.

Contributions are log-odds; those of a class add up to its score, and the softmax of the scores is the answer (for
two classes the logistic function of their difference). Hits of the built-in rules are not independent, so each new
one counts for less: all of them are divided by the square root of their number, as the study of classifiers found
for word weights. The user's own rules add exactly their weight. The constants were fitted by hand on messages
written for the tests; they are a beginning, and a model trained on real messages replaces them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Final

from pointsman.core.classify.rules import Hit
from pointsman.model.decision import Evidence

SLOPE: Final = 1.0
"""Log-odds of one unit of weight."""

FIRST_TOKENS: Final = 6
FIRST_FACTOR: Final = 1.5
"""A phrase among the first tokens counts so much more: people open with what they want."""

FREE_HITS: Final = 2.0
"""Hits that count in full."""

KEEP: Final = 32
"""Pieces of evidence an answer carries; where a long message fires more, its weakest are left out of the list
only."""

FOUND_CHARACTERS: Final = 60
"""Of what was found, that an answer carries."""

_by_strength = attrgetter("weight")


def weigh_builtin(hits: Sequence[Hit]) -> list[Evidence]:
    """Return the contribution of each hit of a built-in rule that has a weight."""
    scale = SLOPE / math.sqrt(max(1.0, len(hits) / FREE_HITS))
    first = scale * FIRST_FACTOR
    return [
        Evidence(
            rule.name, rule.phrase, rule.message_class, rule.weight * (first if position < FIRST_TOKENS else scale)
        )
        for rule, position in hits
        if rule.weight
    ]


def weigh_shape(shape: Iterable[tuple[str, str, str, float]], classes: Mapping[str, str]) -> list[Evidence]:
    """Return the contribution of each feature of the shape.

    Args:
        shape: (feature, found, role, weight).
        classes: class by role; features of a role without a class are left out.
    """
    return [
        Evidence(feature, found[:FOUND_CHARACTERS], classes[role], weight * SLOPE)
        for feature, found, role, weight in shape
        if role in classes
    ]


def weigh_own(hits: Sequence[Hit]) -> list[Evidence]:
    """Return the contribution of each hit of a rule of the user's: its weight, neither more nor less."""
    return [
        Evidence(rule.name, rule.phrase[:FOUND_CHARACTERS], rule.message_class, rule.weight)
        for rule, _ in hits
        if rule.weight or rule.force
    ]


def score(found: Iterable[Evidence], classes: Sequence[str]) -> dict[str, float]:
    """Return the sum of contributions by class."""
    scores = dict.fromkeys(classes, 0.0)
    for piece in found:
        scores[piece.message_class] += piece.weight
    return scores


def probabilities(scores: Mapping[str, float]) -> dict[str, float]:
    """Return the softmax of the scores; it sums to 1, and is safe for any finite score."""
    highest = max(scores.values())
    odds = {name: math.exp(value - highest) for name, value in scores.items()}
    total = sum(odds.values())
    return {name: value / total for name, value in odds.items()}


def strongest(found: list[Evidence]) -> tuple[Evidence, ...]:
    """Return the evidence, strongest first, at most `KEEP` pieces of it."""
    found.sort(key=_by_strength, reverse=True)
    return tuple(found[:KEEP])
