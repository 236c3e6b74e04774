"""What is made of feedback: how much of it is learnt, whether that is used, and how it is taken back.

A feedback is first predicted, by the model alone and with what was learnt before; then it is learnt. So the same
feedback judges and teaches, and never judges what it has taught. One that is given again for the same message takes
the place of the first: what that one moved is taken back, and the predictions of then count with the label of now.

What users say of an outcome is less than a label. A message that failed at one class speaks for the next dearer one.
One that went well speaks for the cheapest class, weakly, where it was there: that the dear class did it says nothing
of whether the cheap one would have done.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from pointsman.core.classify.allowance import Allowance
from pointsman.core.classify.delta import Delta, Moves
from pointsman.core.classify.trial import Match, Standing, Trial

WELL: Final = 0.25
"""What an outcome that was well counts beside a label; it is what most messages have, and tells least."""

MOST_GIVEN: Final = 5_000
"""Feedbacks that can still be replaced; the oldest are final."""


class Shown(NamedTuple):
    """What a message showed the model.

    Attributes:
        features: that it knew, by their numbers.
        values: scores, without what was learnt from feedback.
    """

    features: Sequence[int]
    values: Sequence[float]


class Given(NamedTuple):
    """A feedback that was learnt, with what takes it back.

    Attributes:
        wanted: weight that it had.
        granted: weight with which it was learnt, less where its sender has said much.
        alone, learnt: probabilities before it, by the model alone and with what was learnt.
        moves: what it moved.
        match: how it was counted; None where nothing of it was.
    """

    wanted: float
    granted: float
    alone: Sequence[float]
    learnt: Sequence[float]
    moves: Moves | None
    match: Match | None


class Lessons:
    """Learns from feedback beside one model.

    Attributes:
        delta: what was learnt.
        trial: whether it is better.
        live: what was learnt, while it is used; else None.

    Args:
        width: scores of the model.
        probabilities: of the classes, by scores.
    """

    def __init__(self, width: int, probabilities: Callable[[Sequence[float]], Sequence[float]]) -> None:
        self._probabilities = probabilities
        self._allowance = Allowance()
        self._given: OrderedDict[str, tuple[str, Given]] = OrderedDict()
        self.delta = Delta(width)
        self.trial = Trial()
        self.live: Delta | None = None

    def hear(self, message_id: str, sender: str, shown: Shown, right: int, weight: float) -> tuple[Given, bool]:
        """Learn from a feedback.

        Args:
            message_id: what it is about; of a message only the last one counts.
            sender: who gave it.
            shown: what the message showed.
            right: number of the class that was right.
            weight: how much it counts, 0..1.

        Returns:
            What was made of it, and whether it took the place of another.
        """
        before = self._given.pop(message_id, None)
        if before is None:
            alone = self._probabilities(shown.values)
            learnt = self._probabilities(self.corrected(shown))
        else:
            alone, learnt = before[1].alone, before[1].learnt
            self._take_back(*before)
        granted = self._allowance.take(sender, weight)
        moves = match = None
        if granted:
            match = self.trial.hear(sender, granted, alone, learnt, right)
            current = self._probabilities(self.corrected(shown))
            moves = self.delta.learn(sender, shown.features, current, right, granted)
        self.live = self.delta if self.trial.now.in_use else None
        given = Given(weight, granted, alone, learnt, moves, match)
        self._given[message_id] = (sender, given)
        if len(self._given) > MOST_GIVEN:
            self._given.popitem(last=False)
        return given, before is not None

    def corrected(self, shown: Shown) -> list[float]:
        """Return the scores with what was learnt, whether it is used or not."""
        values = list(shown.values)
        for at, amount in self.delta.add(shown.features).items():
            values[at] += amount
        return values

    def forget(self) -> None:
        """Drop everything that was learnt: from now on the model decides alone, as if there had been no feedback.

        The next trial runs a smaller risk, as one more that may go wrong.
        """
        if self.delta.cells:
            self.restore(Delta(self.delta.width), Standing(number=self.trial.now.number + 1))

    def restore(self, delta: Delta, standing: Standing) -> None:
        """Go on with what was learnt before."""
        self.delta, self.trial = delta, Trial(standing)
        self.live = delta if standing.in_use else None
        self._given.clear()

    def _take_back(self, sender: str, given: Given) -> None:
        self._allowance.give_back(sender, given.wanted, given.granted)
        if given.moves is not None:
            self.delta.take_back(given.moves)
        if given.match is not None:
            self.trial.take_back(given.match)


def meaning(outcome: str, went_to: str, costs: Mapping[str, float]) -> tuple[str, float] | None:
    """Return the class that an outcome speaks for, and how much, 0..1; None where it says nothing.

    Args:
        outcome: `ok` or `failed`.
        went_to: the class that the message had.
        costs: by class.
    """
    cost = costs[went_to]
    if outcome == "ok":
        return (went_to, WELL) if cost <= min(costs.values()) < max(costs.values()) else None
    dearer = [name for name in costs if costs[name] > cost]
    return (min(dearer, key=costs.__getitem__), 1.0) if dearer else None
