"""From rows to a calibrated model: which features, how strong, how sure, and when to abstain.

At most ten fits in all, and three small ones for the learning curve. A few candidates (with and without pieces of
words, two strengths) are tried on examples that are held out: the validation rows where there are some, else one fold.
The best is then judged and calibrated on examples it has not seen: the validation rows again, or every fold in turn.
The threshold is the confidence below which the wanted share of these falls. Folds are made by `folds`, so that nothing
is judged on a near-copy of what it learnt.

`outcome` learns for which messages the strong worker is right and the weak one wrong: the gain, not the weak worker's
failure, since many messages that one fails the other fails too (study of RouteLLM's data).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pointsman.training import calibration, folds, metrics, svm
from pointsman.training.examples import Example, Marks, Matrix, Seeing, Vocabulary, matrix

LEAST: Final = 2
"""Examples that a feature must stand in."""

MOST_FEATURES: Final = 60_000
PASSES: Final = 10
FOLDS: Final = 5
PARTS: Final = (0.125, 0.25, 0.5)
"""Of the rows, for the learning curve."""

Told = Callable[[str, float], None]
"""Hears what is being done and how much of the whole is done, 0..1."""


class Row(NamedTuple):
    """One row to learn from.

    Attributes:
        text: the message.
        label: number of its class; -1 is out of scope.
        group: rows of one group stay together; None stands for itself.
        weight: what a mistake on it costs, above 0.
    """

    text: str
    label: int
    group: str | None = None
    weight: float = 1.0


class Candidate(NamedTuple):
    """One way to learn: with pieces of words or without, and the cost of mistakes."""

    with_pieces: bool
    cost: float


CANDIDATES: Final = (Candidate(False, 1.0), Candidate(True, 1.0), Candidate(False, 3.0), Candidate(True, 3.0))
OUTCOME: Final = Candidate(False, 0.1)


class Learnt(NamedTuple):
    """What came of it.

    Attributes:
        known: names of the features, in the order of the weights.
        weights: as learnt, not calibrated.
        slope, offset: of the calibration; the offset is 0 for more than two classes.
        candidate: the way that was taken.
        tried: accuracy of each way on the held-out examples.
        probabilities: n x classes, of the examples judged: the validation rows, or all rows.
        threshold: confidence below which it abstains.
        fits: how many there were.
        fold: of each row the fold in which it was judged; empty where there were validation rows.
        curve: `(rows learnt from, accuracy)` on the examples held out first.
        given_up: what folds could not keep together, see `folds.separable`.
        apart: scores of the rows by models that saw nothing of their groups, where that was wanted.
    """

    known: list[str]
    weights: svm.Weights
    slope: float
    offset: float
    candidate: Candidate
    tried: dict[Candidate, float]
    probabilities: metrics.Probabilities
    threshold: float
    fits: int
    fold: NDArray[np.int64]
    curve: list[tuple[int, float]]
    given_up: str
    apart: NDArray[np.float32] | None = None


class Learner:
    """Learns from rows.

    Args:
        rows: in scope, two classes or more; what is out of scope is left out by whoever calls.
        classes: how many there are.
        validation: rows, in scope too, that are only judged; or none.
        reject: share of judged examples that may fall below the threshold, 0..1.
        seed: of folds and of the order of learning.
        candidates: ways to try.
        with_sizes: sizes of the message count; they help where length matters (outcomes).
        apart: group of each row; where given, the rows are judged a second time with whole groups left out.
        marks: the rules that tokens fire.
        told: hears of progress.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        classes: int,
        validation: Sequence[Row] = (),
        *,
        reject: float = 0.05,
        seed: int = 0,
        candidates: Sequence[Candidate] = CANDIDATES,
        with_sizes: bool = False,
        apart: Sequence[str | None] = (),
        marks: Marks = lambda tokens: (),
        told: Told = lambda doing, share: None,
    ) -> None:
        self._rows, self._validation = rows, validation
        self._classes = classes
        self._reject, self._seed = reject, seed
        self._candidates = candidates
        self._with_sizes = with_sizes
        self._apart = apart
        self._seeing = Seeing(marks)
        self._told = told
        self._fits = 0
        self._planned = len(candidates) + len(PARTS) + (0 if validation else FOLDS) + (FOLDS if apart else 0)
        self._seen: dict[tuple[bool, bool], list[Example]] = {}

    def learn(self, pairs: Sequence[tuple[int, int]]) -> Learnt:
        """Return the model; `pairs` are the near-duplicates among the rows."""
        return self._by_validation() if self._validation else self._by_folds(pairs)

    def _by_validation(self) -> Learnt:
        everything = np.arange(len(self._rows))
        truth = np.array([row.label for row in self._validation])
        fitted, scores = {}, {}
        for candidate in self._candidates:
            fitted[candidate] = known, weights = self._fit(everything, candidate)
            scores[candidate] = svm.decide(self._matrix(candidate, known, None), weights)
        tried = {one: _accuracy(found, truth) for one, found in scores.items()}
        best = self._best(tried)
        curve = [*self._curve(everything, best, None, truth), (len(everything), tried[best])]
        return self._result(fitted[best], best, tried, scores[best], truth, np.zeros(0, dtype=np.int64), curve)

    def _by_folds(self, pairs: Sequence[tuple[int, int]]) -> Learnt:
        rows = self._rows
        labels = [row.label for row in rows]
        clustered, given_up = folds.separable(len(rows), [row.group for row in rows], pairs)
        fold = np.array(folds.assign(clustered, labels, FOLDS, random.Random(self._seed)))
        truth = np.array(labels)
        first = {candidate: self._held_out(fold, 0, candidate) for candidate in self._candidates}
        tried = {one: _accuracy(found, truth[fold == 0]) for one, found in first.items()}
        best = self._best(tried)
        scores = np.zeros((len(rows), first[best].shape[1]), dtype=np.float32)
        for number in range(FOLDS):
            scores[fold == number] = self._held_out(fold, number, best) if number else first[best]
        others = np.flatnonzero(fold != 0)
        curve = self._curve(others, best, np.flatnonzero(fold == 0), truth[fold == 0])
        curve.append((len(others), tried[best]))
        fitted = self._fit(np.arange(len(rows)), best)
        apart = self._groups_left_out(best) if self._apart else None
        return self._result(fitted, best, tried, scores, truth, fold, curve, given_up, apart)

    def _groups_left_out(self, candidate: Candidate) -> NDArray[np.float32]:
        labels = [row.label for row in self._rows]
        clustered = folds.clusters(len(labels), self._apart, [])
        fold = np.array(folds.assign(clustered, labels, FOLDS, random.Random(self._seed)))
        held_out = [(fold == number, self._held_out(fold, number, candidate)) for number in np.unique(fold).tolist()]
        scores = np.zeros((len(labels), held_out[0][1].shape[1]), dtype=np.float32)
        for here, found in held_out:
            scores[here] = found
        return scores

    def _best(self, tried: dict[Candidate, float]) -> Candidate:
        """Return the candidate that did best; of equals the first, which is the simplest."""
        return max(self._candidates, key=lambda one: (tried[one], -self._candidates.index(one)))

    def _result(
        self,
        fitted: tuple[Vocabulary, svm.Weights],
        candidate: Candidate,
        tried: dict[Candidate, float],
        scores: NDArray[np.float32],
        truth: NDArray[np.int64],
        fold: NDArray[np.int64],
        curve: list[tuple[int, float]],
        given_up: str = "",
        apart: NDArray[np.float32] | None = None,
    ) -> Learnt:
        slope, offset, probabilities = _calibrate(scores, truth)
        threshold = float(np.quantile(probabilities.max(axis=1), self._reject)) if self._reject else 0.0
        known, weights = fitted
        return Learnt(
            known=known.names,
            weights=weights,
            slope=slope,
            offset=offset,
            candidate=candidate,
            tried=tried,
            probabilities=probabilities,
            threshold=threshold,
            fits=self._fits,
            fold=fold,
            curve=curve,
            given_up=given_up,
            apart=apart,
        )

    def _curve(
        self, which: NDArray[np.int64], candidate: Candidate, judged: NDArray[np.int64] | None, truth: NDArray[np.int64]
    ) -> list[tuple[int, float]]:
        """Return `(rows learnt from, accuracy)` for parts of the rows; together they cost less than one fit."""
        shuffled = np.random.default_rng(self._seed).permutation(which)
        curve = []
        for part in PARTS:
            some = np.sort(shuffled[: int(len(which) * part)])
            if len(some) >= self._classes * 2:
                known, weights = self._fit(some, candidate)
                curve.append((len(some), _accuracy(svm.decide(self._matrix(candidate, known, judged), weights), truth)))
        return curve

    def _held_out(self, fold: NDArray[np.int64], number: int, candidate: Candidate) -> NDArray[np.float32]:
        known, weights = self._fit(np.flatnonzero(fold != number), candidate)
        return svm.decide(self._matrix(candidate, known, np.flatnonzero(fold == number)), weights)

    def _fit(self, which: NDArray[np.int64], candidate: Candidate) -> tuple[Vocabulary, svm.Weights]:
        seen = self._examples(self._rows, of_validation=False, with_pieces=candidate.with_pieces)
        chosen = [seen[at] for at in which]
        known = self._seeing.vocabulary(chosen, least=LEAST if len(chosen) > 50 else 1, most=MOST_FEATURES)
        labels = np.array([self._rows[at].label for at in which])
        if self._classes == 2:
            signs = np.where(labels == 1, 1.0, -1.0).astype(np.float32)[:, None]
        else:
            signs = np.full((len(labels), self._classes), -1.0, dtype=np.float32)
            signs[np.arange(len(labels)), labels] = 1.0
        done = self._fits / self._planned
        weights = svm.fit(
            self._without_sizes(matrix(chosen, known)),
            signs,
            np.array([self._rows[at].weight for at in which], dtype=np.float32),
            features=len(known.names),
            cost=candidate.cost,
            passes=PASSES,
            rng=np.random.default_rng(self._seed),
            told=lambda passes, of: self._told("learning", done + passes / of / self._planned),
        )
        self._fits += 1
        return known, weights

    def _matrix(self, candidate: Candidate, known: Vocabulary, which: NDArray[np.int64] | None) -> Matrix:
        """Return the validation rows as numbers, or those of the rows that `which` names."""
        rows = self._validation if which is None else self._rows
        seen = self._examples(rows, of_validation=which is None, with_pieces=candidate.with_pieces)
        return self._without_sizes(matrix(seen if which is None else [seen[at] for at in which], known))

    def _without_sizes(self, data: Matrix) -> Matrix:
        return data if self._with_sizes else data._replace(sizes=np.zeros_like(data.sizes))

    def _examples(self, rows: Sequence[Row], *, of_validation: bool, with_pieces: bool) -> list[Example]:
        key = of_validation, with_pieces
        if key not in self._seen:
            self._seen[key] = [self._seeing.example(row.text, with_pieces=with_pieces) for row in rows]
        return self._seen[key]


def _accuracy(scores: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    chosen = (scores[:, 0] > 0.0).astype(np.int64) if scores.shape[1] == 1 else scores.argmax(axis=1)
    return float((chosen == truth).mean())


def _calibrate(scores: NDArray[np.float32], truth: NDArray[np.int64]) -> tuple[float, float, metrics.Probabilities]:
    """Return slope, offset and probabilities of scores."""
    if scores.shape[1] == 1:
        slope, offset = calibration.platt(scores[:, 0], truth == 1)
        second = 1.0 / (1.0 + np.exp(-np.clip(slope * scores[:, 0].astype(np.float64) + offset, -700.0, 700.0)))
        return slope, offset, np.column_stack([1.0 - second, second])
    factor = calibration.temperature(scores, truth)
    return factor, 0.0, calibration.softmax(scores * np.float32(factor))
