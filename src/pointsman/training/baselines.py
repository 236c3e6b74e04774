"""What a model must beat to be worth anything: the commonest class, the length alone, and rules alone.

All are judged on the same examples as the model. A length that tells the classes apart shows that the data were made,
not gathered: nobody asks for a plan in more characters than for its execution.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pointsman.core.classify.ask import extract
from pointsman.core.classify.builtin import STRATEGIC, TACTICAL, builtin_rules
from pointsman.core.classify.evidence import probabilities, score, weigh_builtin, weigh_shape
from pointsman.core.classify.rules import RuleSet
from pointsman.core.classify.structure import shape_of
from pointsman.core.classify.tokens import tokenize
from pointsman.training import metrics

_NARROWEST: Final = 0.05
"""Least spread of a class's log length, so that a class of equal lengths is no certainty."""


def majority(labels: metrics.Truth, classes: int, judged: int) -> metrics.Probabilities:
    """Return the shares of the classes, the same for each of `judged` examples."""
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    return np.tile(counts / counts.sum(), (judged, 1))


def by_length(
    lengths: NDArray[np.float64], labels: metrics.Truth, classes: int, judged: NDArray[np.float64]
) -> metrics.Probabilities:
    """Return probabilities from the logarithm of the length alone: a normal curve a class, times its share.

    Args:
        lengths: characters of the examples learnt from.
        labels: their classes.
        classes: how many there are.
        judged: characters of the examples to judge.
    """
    known, asked = np.log1p(lengths), np.log1p(judged)
    usual, spread = float(known.mean()), max(float(known.std()), _NARROWEST)
    odds = np.zeros((len(judged), classes))
    for number in range(classes):
        mine = known[labels == number]
        middle = float(mine.mean()) if len(mine) else usual
        width = max(float(mine.std()), _NARROWEST) if len(mine) > 1 else spread
        share = max(len(mine), 1) / len(known)
        odds[:, number] = np.log(share) - np.log(width) - 0.5 * ((asked - middle) / width) ** 2
    raised = np.exp(odds - odds.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def by_rules(texts: Sequence[str], classes: Sequence[str]) -> metrics.Probabilities | None:
    """Return what the built-in rules say; None where they speak for none of the classes."""
    roles = {role: role for role in (STRATEGIC, TACTICAL) if role in classes}
    if len(roles) < 2:
        return None
    rules = RuleSet(builtin_rules())
    found = np.zeros((len(texts), len(classes)))
    for at, source in enumerate(texts):
        tokens = tokenize(extract(source))
        evidence = weigh_builtin(rules.match(tokens)) + weigh_shape(shape_of(source, tokens), roles)
        odds = probabilities(score(evidence, classes))
        found[at] = [odds[name] for name in classes]
    return found
