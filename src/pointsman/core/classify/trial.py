"""Whether what was learnt from feedback is better than the model alone, so much that it may be used.

Each feedback is a match: both had said how likely each class is *before* they heard it (prequential, Dawid 1984), and
the gain is the difference of their squared errors, -1..1. Somebody bets on the gain: the fortune begins at 1, and with
each feedback it is multiplied by `1 + bet x weight x gain`, where the bet was chosen before. If there were no advantage
the fortune would not be expected to grow, and the chance that it ever reached `1 / risk` would be `risk` at most,
however often and whenever one looks (Ville 1939). So an advantage is proven when it gets there; that is the same as a
lower bound of the mean gain, valid at all times, being above zero (Waudby-Smith and Ramdas 2024, "Estimating means of
bounded random variables by betting"; the bet is their approximation of Kelly's).

Besides, an advantage must be one of several senders: there is still one when the sender that gains most is left out,
and not fewer messages get the right class. What is used is watched on, and dropped as soon as its recent gain is below
zero: to be used takes proof, to be dropped suspicion is enough. Each new trial runs half the risk left or less, so
that all of them together stay within `RISK`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

RISK: Final = 0.05
"""Chance, over all trials, that something is used that has no advantage."""

LEAST_WEIGHT: Final = 100.0
"""Feedback, by weight, that a trial takes at least."""

LEAST_SENDERS: Final = 3
"""Senders that it takes."""

HIGHEST_BET: Final = 0.9
"""Of the fortune, on one feedback."""

RECENT: Final = 200
"""Feedbacks that decide whether what is used is dropped."""

LEAST_RECENT: Final = 50
"""Of these, how many there must be."""

MOST_SENDERS: Final = 1_000
_OTHERS: Final = ""
_NOTHING: Final = 1e-9


class Match(NamedTuple):
    """One feedback, as the trial counted it.

    Attributes:
        trial: number of the trial.
        sender: who gave it.
        weight: how much it counts, 0..1.
        gain: squared error of the model less that with what was learnt, -1..1.
        hits: 1 where only what was learnt gave the right class, -1 where only the model did, else 0.
        growth: natural logarithm of what the fortune was multiplied by.
    """

    trial: int
    sender: str
    weight: float
    gain: float
    hits: int
    growth: float


class Standing(msgspec.Struct):
    """How a trial stands; all that is kept of it.

    Attributes:
        number: of the trial, from 1.
        in_use: what was learnt is used.
        fortune: natural logarithm.
        count: feedbacks counted.
        weight: their sum.
        gain: sum of weight x gain.
        squares: sum of its squares.
        hits: sum of weight x hits.
        senders: `(weight, gain)` by sender.
        recent: weight x gain since it is used.
    """

    number: int = 1
    in_use: bool = False
    fortune: float = 0.0
    count: int = 0
    weight: float = 0.0
    gain: float = 0.0
    squares: float = 0.0
    hits: float = 0.0
    senders: dict[str, tuple[float, float]] = {}
    recent: list[float] = []


class Trial:
    """Judges what was learnt beside the model.

    Attributes:
        now: how it stands.
    """

    def __init__(self, standing: Standing | None = None) -> None:
        self.now = standing or Standing()

    @property
    def needed(self) -> float:
        """Fortune, as a natural logarithm, that is proof."""
        number = self.now.number
        return math.log(number * (number + 1) / RISK)

    @property
    def advantage(self) -> float:
        """Mean gain by weight, -1..1; 0 before the first feedback."""
        return self.now.gain / self.now.weight if self.now.weight else 0.0

    @property
    def senders(self) -> int:
        """How many have given feedback that counts."""
        return sum(weight > _NOTHING for weight, _ in self.now.senders.values())

    @property
    def is_proven(self) -> bool:
        """Whether what was learnt may begin to be used."""
        now = self.now
        enough = now.weight >= LEAST_WEIGHT and self.senders >= LEAST_SENDERS
        return enough and now.fortune >= self.needed and now.hits >= 0.0 and self._without_best() > 0.0

    def hear(self, sender: str, weight: float, alone: Sequence[float], learnt: Sequence[float], right: int) -> Match:
        """Count a feedback, and decide anew whether what was learnt is used.

        Args:
            sender: who gave it.
            weight: 0..1.
            alone: probabilities by the model alone.
            learnt: probabilities with what was learnt before this feedback.
            right: number of the right class.
        """
        now = self.now
        gain = (squared_error(alone, right) - squared_error(learnt, right)) / 2.0
        hits = int(_best(learnt) == right) - int(_best(alone) == right)
        growth = math.log1p(self._bet() * weight * gain)
        self._count(Match(now.number, sender, weight, gain, hits, growth), 1)
        if now.in_use:
            now.recent.append(weight * gain)
            del now.recent[:-RECENT]
            if len(now.recent) >= LEAST_RECENT and math.fsum(now.recent) < 0.0:
                self.now = Standing(number=now.number + 1)
        elif self.is_proven:
            now.in_use = True
        return Match(now.number, sender, weight, gain, hits, growth)

    def take_back(self, match: Match) -> None:
        """Count a feedback no more, as another is given in its place."""
        if match.trial == self.now.number:
            self._count(match, -1)
            if match.weight * match.gain in self.now.recent:
                self.now.recent.remove(match.weight * match.gain)

    def _count(self, match: Match, sign: int) -> None:
        now = self.now
        amount = match.weight * match.gain
        now.fortune += sign * match.growth
        now.count += sign
        now.weight += sign * match.weight
        now.gain += sign * amount
        now.squares += sign * amount * amount
        now.hits += sign * match.weight * match.hits
        known = match.sender in now.senders or len(now.senders) < MOST_SENDERS
        sender = match.sender if known else _OTHERS
        weight, gain = now.senders.get(sender, (0.0, 0.0))
        now.senders[sender] = (weight + sign * match.weight, gain + sign * amount)

    def _bet(self) -> float:
        """Return what is bet on the next feedback, by what is known before it."""
        now = self.now
        mean = now.gain / (now.count + 1)
        spread = (0.25 + now.squares) / (now.count + 1)
        return min(HIGHEST_BET, max(0.0, mean / spread))

    def _without_best(self) -> float:
        gains = [gain for _, gain in self.now.senders.values()]
        return math.fsum(gains) - max(gains, default=0.0)


def squared_error(probabilities: Sequence[float], right: int) -> float:
    """Return the squared error of probabilities (Brier 1950), 0..2."""
    return math.fsum((one - (at == right)) ** 2 for at, one in enumerate(probabilities))


def _best(probabilities: Sequence[float]) -> int:
    return max(range(len(probabilities)), key=probabilities.__getitem__)
