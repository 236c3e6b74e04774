"""A linear model over the features of an ask, and what each feature contributed.

The score of a class is `bias + sum(weight of each known feature) / sqrt(their number) + sum(weight x size)`, and the
softmax of the scores is the answer; with two classes one score stands for both, the logistic function of it is the
probability of the second. Weights come calibrated, so that nothing is scaled afterwards and the contributions add up to
the score. Dividing by the root keeps long messages from being surer than they should: neighbouring words say much the
same (it is the length normalisation of a document vector with weights 0 and 1).

A word's own weight and those of its pieces always come together, so they are added up once and remembered. Of the words
that the model does not know only the first ones are cut into pieces, the same ones whatever was met before: no message
of rare words costs more than ten ordinary ones, and no answer depends on what was asked earlier, or on the order in
which a set is walked.

Contributions are not worked out with the score. What was seen is kept, as references to the model's own features, and
they are worked out when somebody looks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

from pointsman.core.classify.features import SIZES, neighbours, pieces, shape, sizes
from pointsman.core.classify.tokens import BREAK

REMEMBERED: Final = 131_072
"""Numbers that are kept of words met, one a score; then all words are met anew."""

STRANGE_WORDS: Final = 48
"""Words of one message, unknown to the model, that are cut into pieces: the first ones."""


class _Met(NamedTuple):
    """A word with its pieces: the sum of their weights (of more than two classes one a class), and their numbers."""

    row: Any
    numbers: tuple[int, ...]


class Scores(NamedTuple):
    """What came of an ask.

    Attributes:
        values: one score, or one a class.
        seen: numbers of the features that the model knew, each as often as it counts; see `LinearModel.name`.
        sizes: how large it is in several ways, or empty where the model does not look.
        unknown_share: of the different words, 0..1, that the model does not know.
        is_blank: there is no word, or no piece of one, that it knows.
    """

    values: list[float]
    seen: list[int]
    sizes: tuple[float, ...]
    unknown_share: float
    is_blank: bool


class LinearModel:
    """Weights by feature. Immutable but for what it remembers of words.

    Args:
        classes: at least two.
        weights: by feature: a number, or for more than two classes a sequence of one number a class.
        bias: one number a score, which always counts.
        size_weights: by size, in the order of `SIZES`, one number a score; empty where sizes do not count.
        unit: what 1 in `weights` is worth; lets them be whole numbers of one byte.
        has_pieces: pieces of words are among the features.

    `number_kind` is the type code of an `array` that holds numbers of features.
    """

    def __init__(
        self,
        classes: Sequence[str],
        weights: Mapping[str, Any],
        bias: Sequence[float],
        size_weights: Sequence[Sequence[float]] = (),
        *,
        unit: float = 1.0,
        has_pieces: bool = False,
    ) -> None:
        self.classes = tuple(classes)
        self.bias = tuple(bias)
        # Features are numbered from 1, so that `filter` can drop those that are not known.
        self._rows = [0, *weights.values()]
        self._single: dict[str, int] = {}
        self._double: dict[tuple[str, str], int] = {}
        self._names: list[str | tuple[str, str]] = [""]
        same: dict[str, str] = {}
        for number, name in enumerate(weights, 1):
            one, blank, other = name.partition(" ")
            if blank and name[0] != "=":
                # Each word is held once, however many pairs it stands in.
                pair = same.setdefault(one, one), same.setdefault(other, other)
                self._double[pair] = number
                self._names.append(pair)
            else:
                self._single[same.setdefault(name, name)] = number
                self._names.append(name)
        self.number_kind = "H" if len(self._names) <= 0x10000 else "I"
        self._size_weights = tuple(size_weights)
        self._unit = unit
        self._has_pieces = has_pieces
        self._most_remembered = max(1_024, REMEMBERED // len(bias))
        self._words: dict[str, _Met] = {}

    def score(self, source: str, text: str, tokens: Sequence[str], marks: Sequence[str] = ()) -> Scores:
        """Return the scores of an ask.

        Args:
            source: the ask as its sender wrote it.
            text: what `ask.extract` left of it.
            tokens: those of `text`.
            marks: names of further features that it has, such as what rules make of it.
        """
        # Dictionaries, not sets: the order in which weights are added must not hang on hashes.
        words = dict.fromkeys(tokens)
        single = self._single.get
        known = list(filter(None, map(single, words)))
        # A break is a feature, but no word.
        known_words = len(known) - (BREAK in words and BREAK in self._single)
        all_words = len(words) - (BREAK in words)
        seen = list(dict.fromkeys(filter(None, map(self._double.get, neighbours(tokens)))))
        seen += filter(None, map(single, chain(shape(source, text, tokens), marks)))
        if self._has_pieces:
            met = self._with_pieces(words)
            values = self._add_up(seen, met)
        else:
            met = []
            seen += known
            values = self._add_up(seen)
        measured: tuple[float, ...] = ()
        if self._size_weights:
            measured = sizes(text)
            for size, row in zip(measured, self._size_weights, strict=True):
                for at, weight in enumerate(row):
                    values[at] += size * weight
        unknown_share = 1.0 - known_words / all_words if all_words else 0.0
        return Scores(values, seen, measured, unknown_share, not (known_words or met))

    def name(self, number: int) -> str:
        """Return the name of a feature, see `features`."""
        name = self._names[number]
        return name if isinstance(name, str) else " ".join(name)

    def contributions(self, seen: Sequence[int], measured: Sequence[float], of: int = 0) -> list[tuple[str, float]]:
        """Return `(feature, amount)` for what was added to a score besides the bias, the strongest first.

        Args:
            seen, measured: `seen` and `sizes` of `Scores`.
            of: number of the score.
        """
        rows, narrow = self._rows, len(self.bias) == 1
        found: dict[int, float] = {}
        for number in seen:
            found[number] = found.get(number, 0.0) + (rows[number] if narrow else rows[number][of])
        share = self._share(len(seen))
        listed = [(self.name(number), amount * share) for number, amount in found.items()]
        if measured:
            named = zip(SIZES, measured, self._size_weights, strict=True)
            listed += [(name, size * row[of]) for name, size, row in named]
        listed.sort(key=lambda one: (-abs(one[1]), one[0]))
        return listed

    def probabilities(self, values: Sequence[float]) -> list[float]:
        """Return the probability of each class, in their order."""
        if len(values) == 1:
            second = _logistic(values[0])
            return [1.0 - second, second]
        highest = max(values)
        odds = [math.exp(value - highest) for value in values]
        total = sum(odds)
        return [one / total for one in odds]

    def _share(self, number: int) -> float:
        """Return what each of so many features counts."""
        return self._unit / math.sqrt(number) if number else 0.0

    def _add_up(self, seen: list[int], met: Sequence[_Met] = ()) -> list[float]:
        """Return the scores of features, and of words with their pieces, whose numbers join the others in `seen`."""
        rows: list[Any] = list(map(self._rows.__getitem__, seen))
        for one in met:
            rows.append(one.row)
            seen += one.numbers
        share = self._share(len(seen))
        if len(self.bias) == 1:
            return [self.bias[0] + share * sum(rows)]
        if not rows:
            return list(self.bias)
        totals = map(sum, zip(*rows, strict=True))
        return [bias + share * total for bias, total in zip(self.bias, totals, strict=True)]

    def _with_pieces(self, words: Mapping[str, None]) -> list[_Met]:
        """Return the words, each with its pieces; of those that are unknown the first ones only."""
        met = []
        strange = 0
        for word in words:
            if word not in self._single:
                strange += 1
                if strange > STRANGE_WORDS:
                    continue
            found = self._words.get(word) or self._meet(word)
            if found.numbers:
                met.append(found)
        return met

    def _meet(self, word: str) -> _Met:
        """Add up a word and its pieces, each as often as it stands there, and remember the sum."""
        numbers = tuple(filter(None, map(self._single.get, chain((word,), pieces(word)))))
        total: Any = 0
        if numbers:
            rows = [self._rows[number] for number in numbers]
            total = sum(rows) if len(self.bias) == 1 else tuple(map(sum, zip(*rows, strict=True)))
        if len(self._words) >= self._most_remembered:
            self._words.clear()
        found = self._words[word] = _Met(total, numbers)
        return found


def _logistic(value: float) -> float:
    if value >= 0.0:
        return 1.0 / (1.0 + math.exp(-value))
    odds = math.exp(value)
    return odds / (1.0 + odds)
