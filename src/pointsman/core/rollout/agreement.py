"""Decides how well two routers agree on classes, beyond what chance alone would bring.

Cohen's kappa (Cohen 1960) sets the observed agreement against that of two routers who know nothing of each other but
give each class as often; a share of agreement comes with Wilson's interval (Wilson 1927), which holds for few messages
and for shares near 0 and 1. A better router must disagree, so this is for people to read and rolls nothing back.
"""

from __future__ import annotations

from math import sqrt
from typing import Final

import msgspec

Z: Final = 1.959963984540054
"""Of the normal distribution: 95 of 100 intervals hold the true share."""

CLASSES_MAX: Final = 50
"""Names of classes remembered of each router; what comes later counts as `OTHER`."""

OTHER: Final = "other"


class ClassAgreement(msgspec.Struct, frozen=True, rename={"message_class": "class"}):
    """How often the candidate gave the class that the old router gave.

    Attributes:
        message_class: the old router's.
        messages: that it gave this class.
        agreed: of them, those to which the candidate gave it too.
        share: of agreement, 0..1.
        low, high: 95 % interval of the share.
    """

    message_class: str
    messages: int
    agreed: int
    share: float
    low: float
    high: float


class AgreementView(msgspec.Struct, frozen=True):
    """Agreement on classes so far.

    Attributes:
        messages: whose class both routers said.
        agreed: of them.
        share, low, high: as in `ClassAgreement`; None without messages.
        kappa: Cohen's kappa, -1..1; None without messages, and where both routers gave one and the same class only.
        matrix: messages by the old router's class, then by the candidate's.
        classes: by the old router's class.
    """

    messages: int
    agreed: int
    share: float | None
    low: float | None
    high: float | None
    kappa: float | None
    matrix: dict[str, dict[str, int]]
    classes: list[ClassAgreement]


class Agreement:
    """Counts pairs of classes."""

    __slots__ = ("_candidate", "_legacy", "_matrix")

    def __init__(self) -> None:
        self._matrix: dict[tuple[str, str], int] = {}
        self._legacy: set[str] = set()
        self._candidate: set[str] = set()

    def add(self, legacy: str, candidate: str) -> None:
        """Count a message to which the two gave these classes."""
        pair = (_known(self._legacy, legacy), _known(self._candidate, candidate))
        self._matrix[pair] = self._matrix.get(pair, 0) + 1

    def view(self) -> AgreementView:
        """Return how well they agree."""
        rows: dict[str, dict[str, int]] = {}
        columns: dict[str, int] = {}
        for (legacy, candidate), count in sorted(self._matrix.items()):
            rows.setdefault(legacy, {})[candidate] = count
            columns[candidate] = columns.get(candidate, 0) + count
        totals = {legacy: sum(row.values()) for legacy, row in rows.items()}
        messages = sum(totals.values())
        # Of two unknown names nobody can say that they are the same one.
        agreed = {legacy: row.get(legacy, 0) if legacy != OTHER else 0 for legacy, row in rows.items()}
        classes = [
            ClassAgreement(name, totals[name], agreed[name], agreed[name] / totals[name], *wilson(agreed[name], count))
            for name, count in totals.items()
        ]
        if not messages:
            return AgreementView(0, 0, None, None, None, None, {}, [])
        share = sum(agreed.values()) / messages
        chance = sum(count * columns.get(name, 0) for name, count in totals.items()) / messages**2
        kappa = None if chance >= 1.0 else (share - chance) / (1.0 - chance)
        low, high = wilson(sum(agreed.values()), messages)
        return AgreementView(messages, sum(agreed.values()), share, low, high, kappa, rows, classes)


def wilson(good: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of which `good` out of `of` were seen; `of` is 1 or more."""
    share, square = good / of, Z * Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z / (1 + square / of) * sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def _known(names: set[str], name: str) -> str:
    if name not in names:
        if len(names) >= CLASSES_MAX:
            return OTHER
        names.add(name)
    return name
