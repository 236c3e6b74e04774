"""From a text to what the learner sees of it: its features by number with their counts, and its sizes.

The same functions as in use (`core.classify`), so that a model meets in use what it was trained on. Features are
numbered as they are met, and a text is two small arrays, so that a hundred thousand of them fit into memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pointsman.core.classify.ask import extract
from pointsman.core.classify.builtin import VERSION
from pointsman.core.classify.features import pairs, pieces, shape, sizes
from pointsman.core.classify.marks import marking_rules, marks
from pointsman.core.classify.tokens import tokenize

Marks = Callable[[Sequence[str]], Sequence[str]]
"""What rules make of tokens, as names of features."""


def marks_by(version: str) -> Marks:
    """Return the marks of the built-in rules where this is their version, else none."""
    if version != VERSION:
        return lambda tokens: ()
    rules = marking_rules()
    return lambda tokens: marks(rules.match(tokens))


_REMEMBERED: Final = 65_536
"""Words whose pieces are kept."""


class Example(NamedTuple):
    """What is seen of a text.

    Attributes:
        features: numbers of the different features that stand in it, int32.
        counts: how often each does, uint16.
        sizes: see `features.sizes`.
    """

    features: NDArray[np.int32]
    counts: NDArray[np.uint16]
    sizes: tuple[float, ...]


class Matrix(NamedTuple):
    """Examples as numbers, row by row.

    Attributes:
        columns: of each example, int32 indices of its known features, rising.
        values: of each, float32 counts, divided by the root of their sum.
        sizes: n x 4, float32.
    """

    columns: list[NDArray[np.int32]]
    values: list[NDArray[np.float32]]
    sizes: NDArray[np.float32]


class Vocabulary(NamedTuple):
    """Features that a model knows.

    Attributes:
        names: in alphabetical order, which is that of the columns.
        columns: the column of each feature by its number among all; -1 where it is not known.
    """

    names: list[str]
    columns: NDArray[np.int32]


class Seeing:
    """Turns texts into examples, and examples into matrices; keeps the numbers of the features.

    Args:
        marks: the rules that tokens fire.
    """

    def __init__(self, marks: Marks = lambda tokens: ()) -> None:
        self._marks = marks
        self._numbers: dict[str, int] = {}
        self._pieces: dict[str, list[int]] = {}

    def example(self, text: str, *, with_pieces: bool) -> Example:
        """Return what is seen of a text."""
        left = extract(text)
        tokens = tokenize(left)
        words = dict.fromkeys(tokens)
        names = dict.fromkeys([*words, *pairs(tokens), *shape(text, left, tokens), *self._marks(tokens)])
        counts = dict.fromkeys(map(self._number, names), 1)
        if with_pieces:
            for word in words:
                for piece in self._pieces_of(word):
                    counts[piece] = counts.get(piece, 0) + 1
        return Example(
            np.fromiter(counts.keys(), dtype=np.int32, count=len(counts)),
            np.fromiter((min(one, 65_535) for one in counts.values()), dtype=np.uint16, count=len(counts)),
            sizes(left),
        )

    def vocabulary(self, examples: Sequence[Example], *, least: int, most: int) -> Vocabulary:
        """Return the features that stand in at least `least` examples, the `most` commonest."""
        seen = np.zeros(len(self._numbers), dtype=np.int64)
        for one in examples:
            seen[one.features] += 1
        names = list(self._numbers)
        kept = np.flatnonzero(seen >= least).tolist()
        if len(kept) > most:
            kept = sorted(kept, key=lambda number: (-seen[number], names[number]))[:most]
        kept.sort(key=names.__getitem__)
        columns = np.full(len(names), -1, dtype=np.int32)
        columns[kept] = np.arange(len(kept), dtype=np.int32)
        return Vocabulary([names[number] for number in kept], columns)

    def _number(self, name: str) -> int:
        return self._numbers.setdefault(name, len(self._numbers))

    def _pieces_of(self, word: str) -> list[int]:
        """Return the numbers of a word's pieces, each as often as it stands there."""
        found = self._pieces.get(word)
        if found is None:
            if len(self._pieces) >= _REMEMBERED:
                self._pieces.clear()
            found = self._pieces[word] = [self._number(piece) for piece in pieces(word)]
        return found


def matrix(examples: Sequence[Example], known: Vocabulary) -> Matrix:
    """Return examples as numbers; features that are not known do not count."""
    columns, values = [], []
    for one in examples:
        numbered = one.features < len(known.columns)
        place = known.columns[one.features[numbered]]
        found = np.flatnonzero(place >= 0)
        found = found[np.argsort(place[found])]
        counts = one.counts[numbered][found].astype(np.float32)
        columns.append(place[found])
        values.append(counts / np.float32(max(1.0, float(counts.sum())) ** 0.5))
    return Matrix(columns, values, np.array([one.sizes for one in examples], dtype=np.float32))
