"""What feedback has taught beside the trained model: a weight for each feature that it knows, added to its scores.

The model stays as it was trained. A feedback moves the weights of the features that its message showed, by AdaGrad
(Duchi, Hazan, Singer 2011) on the logistic loss; with more than two classes only those of the class that was right and
of its strongest rival. A feature counts `1 / sqrt(number seen)`, as in the model.

A weight is the sum of what each sender moved it by, and each of these is kept within `MOST_MOVED`: whoever says the
same a thousand times says it no louder than a few times. How much of a feedback is learnt at all is decided in
`allowance`, and whether the sum is used in `trial`.

Nothing here knows a text. Only features that the model knows are learnt, and they go by their numbers in it.
"""

from __future__ import annotations

import math
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

STEP: Final = 1.0
"""What a first, wholly wrong feedback of weight 1 moves the score of its message by, about."""

MOST_MOVED: Final = 0.25
"""The farthest that one sender may move a weight from 0, up or down."""

MOST_PARTS: Final = 50_000
"""Weights by sender that are kept; the feature that was moved longest ago is forgotten first."""

MOST_FEATURES: Final = 512
"""Features of one message that are learnt, the first ones."""

ALWAYS: Final = 0
"""Number of the feature that every message has; those of a model begin at 1."""


class Cell(msgspec.Struct, array_like=True):
    """One weight.

    Attributes:
        total: what it is, the sum of its parts.
        gathered: sum of the squared gradients, by which further steps shrink.
        parts: by sender.
    """

    total: float
    gathered: float
    parts: dict[str, float]


class Moves(NamedTuple):
    """What a feedback has moved, so that it can be taken back.

    Attributes:
        sender: who gave it.
        features: their numbers.
        of: numbers of the scores.
        gathered: what was added to `Cell.gathered`, one number a score.
        amounts: what each weight was moved by: for each score, feature by feature.
    """

    sender: str
    features: Sequence[int]
    of: Sequence[int]
    gathered: Sequence[float]
    amounts: array[float]


class Delta:
    """Weights beside those of a model.

    Args:
        width: scores of the model: one for two classes, else one a class.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.cells: OrderedDict[int, dict[int, Cell]] = OrderedDict()
        self._parts = 0

    def add(self, features: Sequence[int]) -> dict[int, float]:
        """Return what is added to the scores, by the number of the score; empty where nothing was learnt of these.

        Args:
            features: that a message showed, by their numbers, each as often as it counts.
        """
        get = self.cells.get
        found: dict[int, float] = {}
        for number in (ALWAYS, *features):
            cells = get(number)
            if cells:
                for at, cell in cells.items():
                    found[at] = found.get(at, 0.0) + cell.total
        share = 1.0 / math.sqrt(len(features) + 1)
        return {at: total * share for at, total in found.items()}

    def learn(
        self, sender: str, features: Sequence[int], probabilities: Sequence[float], right: int, weight: float
    ) -> Moves:
        """Learn from a feedback.

        Args:
            sender: who gave it.
            features: that its message showed, by their numbers.
            probabilities: of each class, with what was learnt before.
            right: number of the class that was right.
            weight: how much it counts, 0..1.
        """
        share = 1.0 / math.sqrt(len(features) + 1)
        features = array("I", (ALWAYS, *features[:MOST_FEATURES]))
        if self.width == 1:
            gradients = {0: probabilities[1] - right}
        else:
            rival = max((at for at in range(len(probabilities)) if at != right), key=probabilities.__getitem__)
            gradients = {right: probabilities[right] - 1.0, rival: probabilities[rival]}
        amounts = array("d")
        gathered = []
        for at, gradient in gradients.items():
            slope = gradient * share
            gathered.append(weight * slope * slope)
            for number in features:
                amounts.append(self._move(number, at, sender, -STEP * weight * slope, gathered[-1]))
        self._forget()
        return Moves(sender, features, tuple(gradients), gathered, amounts)

    def take_back(self, moves: Moves) -> None:
        """Undo what a feedback has moved, where that is still known."""
        amounts = iter(moves.amounts)
        for at, gathered in zip(moves.of, moves.gathered, strict=True):
            for number in moves.features:
                amount = next(amounts)
                cell = self.cells.get(number, {}).get(at)
                if cell is not None and moves.sender in cell.parts:
                    cell.gathered = max(0.0, cell.gathered - gathered)
                    cell.parts[moves.sender] = _within(cell.parts[moves.sender] - amount)
                    cell.total = math.fsum(cell.parts.values())

    def _move(self, number: int, at: int, sender: str, wanted: float, gathered: float) -> float:
        """Move a weight towards where the gradient wants it; returns by how much it was moved."""
        cells = self.cells.setdefault(number, {})
        self.cells.move_to_end(number)
        cell = cells.get(at)
        if cell is None:
            cell = cells[at] = Cell(0.0, 0.0, {})
        before = cell.parts.get(sender)
        if before is None:
            before = 0.0
            self._parts += 1
        cell.gathered += gathered
        after = _within(before + wanted / math.sqrt(1.0 + cell.gathered))
        cell.parts[sender] = after
        cell.total += after - before
        return after - before

    def _forget(self) -> None:
        while self._parts > MOST_PARTS and len(self.cells) > 1:
            _, cells = self.cells.popitem(last=False)
            self._parts -= sum(len(cell.parts) for cell in cells.values())

    def restore(self, cells: dict[int, dict[int, Cell]]) -> None:
        """Take over the weights of another delta of the same model."""
        self.cells = OrderedDict(cells)
        self._parts = sum(len(cell.parts) for of in cells.values() for cell in of.values())
        self._forget()


def _within(part: float) -> float:
    return min(MOST_MOVED, max(-MOST_MOVED, part))
