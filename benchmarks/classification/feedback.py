"""What a sender costs who always lies, beside the same feedback with the truth in its place; and whether rolling back
brings every answer back.

A model that has learnt from two fifths of the messages hears of the labels of another two, and is judged on the last.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.classification.figures import Figure
from benchmarks.classification.own import lines
from pointsman.core.classify.ask import extract
from pointsman.core.classify.lessons import Lessons, Shown
from pointsman.core.classify.linear import LinearModel
from pointsman.core.classify.model_file import build
from pointsman.core.classify.tokens import tokenize
from pointsman.training.learning import Candidate, Learner, Row
from pointsman.training.storing import store

PART = "feedback"
NUMBERS = {"tactical": 0, "strategic": 1}
LIES: dict[str, Callable[[int], int]] = {
    "always wrong": lambda label: 1 - label,
    "always the cheap class": lambda label: 0,
    "always the dear class": lambda label: 1,
}
SEEDS = (0, 1, 2)
SENDERS = 18
LYING_SHARE = 0.1

Judged = Sequence[tuple[Shown, int]]


def measure(data: Path) -> Iterator[Figure]:
    """Yield points of accuracy lost to lies, the worst of several runs, and answers that rolling back left changed."""
    worlds = [_world(seed) for seed in SEEDS]
    true = [_hear(world, seed, lambda label: label) for seed, world in enumerate(worlds)]
    for name, lie in LIES.items():
        lied = [_hear(world, seed, lie) for seed, world in enumerate(worlds)]
        lost = max(
            _accuracy(one, world[2]) - _accuracy(other, world[2])
            for one, other, world in zip(true, lied, worlds, strict=True)
        )
        yield Figure(PART, f"one of ten answers comes from a liar, {name}: lost", lost, 3.0, unit="pts")
    gain = min(_accuracy(one, world[2]) - _accuracy(None, world[2]) for one, world in zip(true, worlds, strict=True))
    yield Figure(PART, "gained by honest feedback, the least of the runs", gain, unit="pts")
    used = true[0]
    before = [list(shown.values) for shown, _ in worlds[0][2]]
    used.forget()
    changed = sum(used.corrected(shown) != one for (shown, _), one in zip(worlds[0][2], before, strict=True))
    yield Figure(PART, "answers that differ after rolling back", float(changed), 0.0)


def _world(seed: int) -> tuple[LinearModel, Judged, Judged]:
    rows = [(row["text"], NUMBERS[row["label"]]) for row in map(json.loads, lines()) if row["label"] in NUMBERS]
    rng = random.Random(seed)
    rng.shuffle(rows)
    cut = len(rows) * 2 // 5
    learnt = [Row(text, label if rng.random() < 0.6 else 0) for text, label in rows[:cut]]
    trained = Learner(learnt, 2, seed=seed, candidates=[Candidate(False, 1.0)]).learn([])
    model = build(store(trained, list(NUMBERS), name="m", made="", made_by=""), "m")
    seen = [(_shown(model, text), label) for text, label in rows[cut:]]
    return model, seen[:cut], seen[cut:]


def _shown(model: LinearModel, text: str) -> Shown:
    left = extract(text)
    scores = model.score(text, left, tokenize(left))
    return Shown(scores.seen, scores.values)


def _hear(world: tuple[LinearModel, Judged, Judged], seed: int, said: Callable[[int], int]) -> Lessons:
    model, told, _ = world
    of, rng = Lessons(1, model.probabilities), random.Random(seed + 100)
    for at, (shown, label) in enumerate(told):
        lies = rng.random() < LYING_SHARE
        sender = "liar" if lies else f"s{rng.randrange(SENDERS)}"
        of.hear(str(at), sender, shown, said(label) if lies else label, 1.0)
    return of


def _accuracy(of: Lessons | None, judged: Judged) -> float:
    right = [((shown.values if of is None else of.corrected(shown))[0] > 0.0) == bool(label) for shown, label in judged]
    return 100.0 * sum(right) / len(judged)
