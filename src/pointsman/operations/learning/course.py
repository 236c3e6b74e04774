"""One training from file to model: read, learn, judge beside the baselines, and say what is doubtful about the data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from pointsman.core.classify.builtin import STRATEGIC, TACTICAL, VERSION
from pointsman.core.classify.model_file import Reference, StoredModel, build
from pointsman.operations.learning.comparing import compare
from pointsman.operations.learning.doubts import doubts
from pointsman.training.dataset import Dataset, DataUnusable, Labelled, read, require
from pointsman.training.duplicates import near_duplicates
from pointsman.training.evaluation import Judged, figures, judge
from pointsman.training.examples import marks_by
from pointsman.training.learning import CANDIDATES, FOLDS, OUTCOME, Candidate, Learner, Learnt, Row
from pointsman.training.storing import store
from pointsman.training.unknown import unknown_share

Told = Callable[[str, float], None]
"""Hears what is being done, and how much of the whole is done, 0..1."""

WORST: Final = 20
"""Confident mistakes that are shown."""

_SHORTEST_HASH: Final = 12


@dataclass(slots=True, frozen=True, kw_only=True)
class Wanted:
    """What to train.

    Attributes:
        target: `label` or `outcome`.
        reject: share of judged messages that may be turned away, 0..1.
        seed: of everything that is chosen by chance.
        pieces: whether pieces of words are features; None tries both.
        made: RFC 3339 instant that the model bears.
        made_by: version of Pointsman.
        name: of the model; by default made of its data's hash.
    """

    target: str = "label"
    reject: float = 0.05
    seed: int = 0
    pieces: bool | None = None
    made: str
    made_by: str
    name: str = ""


class Mistake(NamedTuple):
    """A message that was judged wrongly: its text, the right class, the one found, and how sure that was."""

    text: str
    right: str
    found: str
    confidence: float


@dataclass(slots=True, frozen=True)
class Course:
    """What came of a training.

    Attributes:
        stored: the model.
        classes: their names, by number.
        judged: what the model said of examples it had not seen.
        figures: of these, by name, see `training.evaluation`; of outcomes with `apgr`.
        baselines: the same figures by baseline: `majority`, `length`, `rules`; of outcomes `length` and `random`.
        beats: it is better than each of them.
        warnings: what is doubtful, a sentence each.
        worst: confident mistakes, the surest first.
        learnt: how it was learnt.
        data: facts of the data.
    """

    stored: StoredModel
    classes: list[str]
    judged: Judged
    figures: dict[str, Any]
    baselines: dict[str, dict[str, Any]]
    beats: bool
    warnings: list[str]
    worst: list[Mistake]
    learnt: Learnt
    data: dict[str, Any] = field(default_factory=dict)


def train(
    lines: Iterable[bytes],
    validation: Iterable[bytes] | None,
    wanted: Wanted,
    *,
    names: tuple[str, str] = ("the data", "the validation data"),
    told: Told = lambda doing, share: None,
) -> Course:
    """Train a model.

    Args:
        lines: of the rows to learn from, read once.
        validation: of the rows to judge by, or None: then the rows judge each other, fold by fold.
        wanted: what to train.
        names: of the two files, for the errors.
        told: hears of progress.

    Raises:
        DataUnusable: nothing can be learnt from these rows.
    """
    told("reading", 0.0)
    data, proof = _read(lines, validation, wanted, names)
    told("looking for near-duplicates", 0.02)
    inside = [row for row in data.rows if row.label is not None]
    pairs = near_duplicates([row.text for row in inside])
    number = {name: at for at, name in enumerate(data.classes)}
    judged_rows = [row for row in (proof or data).rows if row.label is not None]
    apart = _apart(wanted, inside, proof)
    rules = VERSION if wanted.target == "label" and {STRATEGIC, TACTICAL} <= set(data.classes) else ""
    learner = Learner(
        [_row(row, number, wanted) for row in inside],
        len(data.classes),
        [_row(row, number, wanted) for row in judged_rows] if proof else (),
        reject=wanted.reject,
        seed=wanted.seed,
        candidates=_candidates(wanted),
        with_sizes=wanted.target == "outcome",
        apart=apart,
        marks=marks_by(rules),
        told=lambda doing, share: told(doing, 0.05 + 0.89 * share),
    )
    learnt = learner.learn([] if apart else pairs)
    told("judging", 0.95)
    truth = np.array([number[row.label or ""] for row in judged_rows], dtype=np.int64)
    judged = Judged(learnt.probabilities, truth, tuple(data.classes), learnt.threshold)
    found, beside, beats = compare(wanted.target, wanted.seed, data, inside, judged_rows, judged, learnt)
    facts = _facts(data, proof, pairs, wanted)
    unknown = unknown_share([row.text for row in inside], [row.text for row in judged_rows], learnt.fold.tolist())
    stored = _stored(learnt, data.classes, facts, wanted, rules, _reference(judged, unknown))
    found |= _turned_away(stored, judged, [row for row in (proof or data).rows if row.label is None])
    stored = msgspec.structs.replace(stored, metrics={**found, "baselines": beside})
    told("done", 1.0)
    return Course(
        stored,
        data.classes,
        judged,
        found,
        beside,
        beats,
        doubts(data, inside, pairs, found, beside, learnt, beats=beats),
        _worst(judged, judged_rows),
        learnt,
        facts,
    )


def _read(
    lines: Iterable[bytes], validation: Iterable[bytes] | None, wanted: Wanted, names: tuple[str, str]
) -> tuple[Dataset, Dataset | None]:
    """Return the rows to learn from, and those to judge by. Raises DataUnusable."""
    data = read(lines, target=wanted.target, seed=wanted.seed, name=names[0])
    require(data, names[0])
    if validation is None:
        return data, None
    proof = read(validation, target=wanted.target, seed=wanted.seed, name=names[1])
    _must_fit(data, proof, names[1])
    return data, proof


def _candidates(wanted: Wanted) -> Sequence[Candidate]:
    if wanted.target == "outcome":
        return (OUTCOME,)
    return [one for one in CANDIDATES if wanted.pieces is None or one.with_pieces == wanted.pieces]


def _row(row: Labelled, number: dict[str, int], wanted: Wanted) -> Row:
    """Return a row as it is learnt from; groups of outcomes are left out as a whole, or do not count."""
    group = None if wanted.target == "outcome" else row.group
    return Row(row.text, number[row.label or ""], group, row.weight)


def _apart(wanted: Wanted, inside: Sequence[Labelled], proof: Dataset | None) -> list[str | None]:
    """Return the groups of outcomes that can be left out as a whole, nothing where there are too few.

    Where there are enough, plain folds come first and keep nothing together, as in RouteLLM's protocol; whole groups
    left out then show what that flatters.
    """
    groups = [row.group for row in inside]
    if wanted.target != "outcome" or proof is not None or len({one for one in groups if one is not None}) < FOLDS:
        return []
    return groups


def _must_fit(data: Dataset, proof: Dataset, name: str) -> None:
    """Raise DataUnusable where validation rows bear labels that nothing is learnt of, or none at all."""
    lost = [label for label in proof.classes if label not in set(data.classes)]
    if lost:
        shown = ", ".join(map(repr, lost[:5]))
        raise DataUnusable(f"{name}: {len(lost)} labels are not among those to learn, such as {shown}; case counts")
    if not any(row.label is not None for row in proof.rows):
        raise DataUnusable(f"{name}: no row has a label, so that nothing can be judged by it")


def _facts(data: Dataset, proof: Dataset | None, pairs: Sequence[tuple[int, int]], wanted: Wanted) -> dict[str, Any]:
    digest = data.sha256 if proof is None else hashlib.sha256((data.sha256 + proof.sha256).encode()).hexdigest()
    return {
        "sha256": digest,
        "rows": len(data.rows),
        "out_of_scope": data.counts[None],
        "per_class": {name: data.counts[name] for name in data.classes},
        "groups": len({row.group for row in data.rows if row.group is not None}),
        "near_duplicates": len(pairs),
        "validation_rows": len(proof.rows) if proof else 0,
        "seed": wanted.seed,
        "reject": wanted.reject,
    }


def _stored(
    learnt: Learnt, classes: list[str], facts: dict[str, Any], wanted: Wanted, rules: str, reference: Reference
) -> StoredModel:
    """Return the model as it is written, without its figures."""
    return store(
        learnt,
        classes,
        name=wanted.name or f"{wanted.target}-{facts['sha256'][:_SHORTEST_HASH]}",
        made=wanted.made,
        made_by=wanted.made_by,
        target=wanted.target,
        rules=rules,
        data=facts,
        reference=reference,
        with_sizes=wanted.target == "outcome",
    )


def _turned_away(stored: StoredModel, judged: Judged, outside: Sequence[Labelled]) -> dict[str, Any]:
    """Return how well messages out of scope, which nothing was learnt from, are told from the others."""
    if not outside:
        return {}
    strange = judge(build(stored, stored.name), stored.threshold, outside, marks_by(stored.rules))
    both = judged._replace(
        probabilities=np.concatenate([judged.probabilities, strange.probabilities]),
        truth=np.concatenate([judged.truth, strange.truth]),
    )
    found = figures(both)
    return {name: found[name] for name in ("oos_recall", "oos_auroc", "n_out_of_scope")}


def _reference(judged: Judged, unknown: float) -> Reference:
    """Return what the judged examples were like, to measure drift against; `unknown` is the share of unknown words."""
    confidence = judged.probabilities.max(axis=1)
    bins = np.minimum((confidence * 10).astype(int), 9)
    shares = np.bincount(bins, minlength=10) / max(1, len(bins))
    chosen = np.bincount(judged.probabilities.argmax(axis=1), minlength=len(judged.classes)) / max(1, len(bins))
    return Reference(
        confidence=tuple(round(float(one), 6) for one in shares),
        class_share={name: round(float(one), 6) for name, one in zip(judged.classes, chosen, strict=True)},
        unknown_share=round(unknown, 6),
        abstain_share=round(float((confidence < judged.threshold).mean()), 6),
    )


def _worst(judged: Judged, rows: Sequence[Labelled]) -> list[Mistake]:
    chosen, confidence = judged.probabilities.argmax(axis=1), judged.probabilities.max(axis=1)
    wrong = np.flatnonzero(chosen != judged.truth)
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")][:WORST]
    return [
        Mistake(
            rows[at].text, judged.classes[judged.truth[at]], judged.classes[chosen[at]], round(float(confidence[at]), 4)
        )
        for at in surest
    ]
