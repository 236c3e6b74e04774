"""Whether the messages of today are still like those that the model was trained on.

Of the last messages that the words decided is kept how sure the model was, which class it found, whether it abstained,
and how many words it did not know. When somebody asks, they are compared with the model's own reference by the
population stability index, `sum of (is - was) x ln(is / was)` over the bins (Siddiqi 2006, "Credit Risk Scorecards":
below 0.1 nothing has changed, above 0.25 much has). It tells, and changes nothing.

What abstaining costs is the difference between the class that a message went to and the likeliest one, for a day.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from pointsman.core.classify.model_file import Reference
from pointsman.model.decision import Classification

WINDOW: Final = 2_000
"""Messages that are looked at, the last ones."""

LONGEST_S: Final = 86_400.0
"""Of them, those of the last so many seconds."""

LEAST: Final = 200
"""Below so many there is no figure: chance alone makes the index large."""

MUCH: Final = 0.25
"""Population stability index from which a change is worth somebody's while."""

LABELLED: Final = 500
"""Labelled messages by which the calibration is judged."""

LEAST_LABELLED: Final = 50
KINDS: Final = ("confidence", "class", "unknown", "abstain", "calibration")
BINS: Final = 10
_HOUR_S: Final = 3_600.0
_HOURS: Final = 24
_FLOOR: Final = 0.002
"""Least share of a bin, so that an empty one makes the index large and not infinite."""


class Glance(msgspec.Struct, frozen=True, gc=False):
    """What is kept of one message."""

    at: float
    confidence: float
    likeliest: str
    abstained: bool
    unknown_share: float


class Drift:
    """The last messages beside a reference.

    Args:
        reference: what the model was like on what it was trained on; None where rules decide.
        costs: by class.
    """

    def __init__(self, reference: Reference | None, costs: Mapping[str, float]) -> None:
        self._reference = reference
        self._costs = costs
        self._last: deque[Glance] = deque(maxlen=WINDOW)
        self._labelled: deque[tuple[float, bool]] = deque(maxlen=LABELLED)
        # Of each of the last hours: its number, abstained messages, what they cost.
        self._hours: deque[list[float]] = deque(maxlen=_HOURS + 1)

    def use(self, reference: Reference | None, costs: Mapping[str, float], *, same_model: bool) -> None:
        """Compare with another reference from now on; what another model said of messages is forgotten."""
        self._reference, self._costs = reference, costs
        if not same_model:
            self._last.clear()
            self._labelled.clear()

    def see(self, answer: Classification, now: float) -> None:
        """Keep what the words of a message said; what hints, pins and forced rules decided says nothing of the model.

        Args:
            answer: of the classifier.
            now: monotonic seconds.
        """
        cause = answer.cause
        if cause != "model" and cause != "abstain":
            return
        confidence, likeliest = answer.confidence, answer.message_class
        if answer.margin < 0.0:
            confidence, likeliest = confidence - answer.margin, answer.runner_up
        self._last.append(Glance(now, confidence, likeliest, cause == "abstain", answer.unknown_share))
        if cause == "abstain":
            self._abstained(answer.message_class, likeliest, now)

    def labelled(self, confidence: float, *, right: bool) -> None:
        """Keep how sure the model was of a message of which somebody has said the class."""
        self._labelled.append((confidence, right))

    def _abstained(self, chosen: str, likeliest: str, now: float) -> None:
        hour = now // _HOUR_S
        if not self._hours or self._hours[-1][0] != hour:
            self._hours.append([hour, 0.0, 0.0])
        costs = self._costs
        self._hours[-1][1] += 1.0
        self._hours[-1][2] += max(0.0, costs.get(chosen, 0.0) - costs.get(likeliest, 0.0))

    def looked_at(self, now: float) -> int:
        """Return how many messages the figures are of."""
        return len(self._recent(now))

    def abstain_share(self, now: float) -> float | None:
        """Return the share of messages that abstained, of those whose words decided; None where they are too few."""
        last = self._recent(now)
        return sum(one.abstained for one in last) / len(last) if len(last) >= LEAST else None

    def abstain_day_cost(self, now: float) -> float:
        """Return what abstaining has cost over the last day, in the unit of the classes' costs."""
        oldest = now // _HOUR_S - _HOURS
        return math.fsum(cost for hour, _, cost in self._hours if hour > oldest)

    def figures(self, now: float) -> dict[str, float]:
        """Return how far things have moved, by kind; a kind of which too little is known is absent.

        `confidence` and `class` are population stability indices; `unknown` and `abstain` are shares less those of
        the reference; `calibration` is the expected calibration error on labelled messages.
        """
        found: dict[str, float] = {}
        last, reference = self._recent(now), self._reference
        if reference is not None and len(last) >= LEAST and len(reference.confidence) == BINS:
            counts = [0] * BINS
            by_class = dict.fromkeys(reference.class_share, 0)
            for one in last:
                counts[min(BINS - 1, int(one.confidence * BINS))] += 1
                by_class[one.likeliest] = by_class.get(one.likeliest, 0) + 1
            many = len(last)
            found["confidence"] = stability_index(reference.confidence, [count / many for count in counts])
            was = [reference.class_share.get(name, 0.0) for name in by_class]
            found["class"] = stability_index(was, [count / many for count in by_class.values()])
            found["unknown"] = math.fsum(one.unknown_share for one in last) / many - reference.unknown_share
            found["abstain"] = sum(one.abstained for one in last) / many - reference.abstain_share
        if len(self._labelled) >= LEAST_LABELLED:
            found["calibration"] = calibration_error(self._labelled)
        return found

    def _recent(self, now: float) -> Sequence[Glance]:
        while self._last and now - self._last[0].at > LONGEST_S:
            self._last.popleft()
        return self._last


def stability_index(was: Sequence[float], now: Sequence[float]) -> float:
    """Return the population stability index of two lists of shares, 0 where they are equal."""
    floored = [(max(_FLOOR, one), max(_FLOOR, other)) for one, other in zip(was, now, strict=True)]
    return math.fsum((other - one) * math.log(other / one) for one, other in floored)


def calibration_error(judged: Sequence[tuple[float, bool]]) -> float:
    """Return the expected calibration error of `(confidence, right)`, ten bins of equal width, 0..1."""
    sums: dict[int, list[float]] = {}
    for confidence, right in judged:
        of = sums.setdefault(min(BINS - 1, int(confidence * BINS)), [0.0, 0.0])
        of[0] += confidence
        of[1] += right
    return math.fsum(abs(sure - hits) for sure, hits in sums.values()) / len(judged)
