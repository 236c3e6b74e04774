"""What a sender who lies costs: measured on the project's own messages, with the numbers of the bar."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path

import pytest

from pointsman.core.classify.ask import extract
from pointsman.core.classify.lessons import Lessons, Shown
from pointsman.core.classify.linear import LinearModel
from pointsman.core.classify.model_file import build
from pointsman.core.classify.tokens import tokenize
from pointsman.training.learning import Candidate, Learner, Row
from pointsman.training.storing import store

DATA = Path(__file__).parents[3] / "data" / "default"
NUMBERS = {"tactical": 0, "strategic": 1}
SEEDS = (0, 1, 2, 3)

Judged = list[tuple[Shown, int]]


@cache
def world(seed: int) -> tuple[LinearModel, Judged, Judged]:
    """A model that learnt two fifths of the messages, many of them wrongly; those to hear of, and those to judge by."""
    lines = [line for path in sorted(DATA.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    rows = [(row["text"], NUMBERS[row["label"]]) for row in map(json.loads, lines) if row["label"] in NUMBERS]
    rng = random.Random(seed)
    rng.shuffle(rows)
    cut = len(rows) * 2 // 5
    learnt = [Row(text, label if rng.random() < 0.6 else 0, None, 1.0) for text, label in rows[:cut]]
    trained = Learner(learnt, 2, seed=seed, candidates=[Candidate(False, 1.0)]).learn([])
    model = build(store(trained, list(NUMBERS), name="m", made="", made_by=""), "m")

    def seen(text: str, label: int) -> tuple[Shown, int]:
        left = extract(text)
        scores = model.score(text, left, tokenize(left))
        return Shown(scores.seen, scores.values), label

    rest = [seen(*row) for row in rows[cut:]]
    part = len(rest) * 2 // 3
    return model, rest[:part], rest[part:]


def accuracy(of: Lessons, judged: Judged, *, corrected: bool) -> float:
    """The share of right classes, per cent."""
    right = [(of.corrected(shown) if corrected else shown.values)[0] > 0.0 for shown, _ in judged]
    return 100.0 * sum(one == bool(label) for one, (_, label) in zip(right, judged, strict=True)) / len(judged)


def hear(seed: int, said, honest: int) -> tuple[float, float, Lessons]:
    """Let a tenth of the feedback come from one sender, who says `said(label)`; accuracy without and with what came."""
    model, told, judged = world(seed)
    of, rng = Lessons(1, model.probabilities), random.Random(seed + 100)
    for at, (shown, label) in enumerate(told):
        lies = rng.random() < 0.1
        sender = "liar" if lies else f"s{rng.randrange(honest)}"
        of.hear(str(at), sender, shown, said(label) if lies else label, 1.0)
    return accuracy(of, judged, corrected=False), accuracy(of, judged, corrected=True), of


LIES = {"always wrong": lambda label: 1 - label, "always cheap": lambda label: 0, "always dear": lambda label: 1}


@pytest.mark.parametrize("honest", [18, 4])
def test_a_sender_who_always_lies_at_a_tenth_of_the_traffic_costs_at_most_three_points(honest):
    """Whatever the lie, beside the same traffic with the truth in its place; what was learnt is used all the same.

    Of one split of 350 messages 3 points are 10 of them, so that the mean is what is held to the bar, and less of it.
    """
    truth = [hear(seed, lambda label: label, honest) for seed in SEEDS]
    for lie in LIES.values():
        costs = []
        for seed, (alone, truthful, _) in zip(SEEDS, truth, strict=True):
            _, lied, of = hear(seed, lie, honest)
            costs.append(truthful - lied)
            assert lied > alone
            assert of.live is not None
        assert sum(costs) / len(costs) <= 2.0
        assert max(costs) <= 4.0


def test_a_sender_who_lies_alone_is_never_believed():
    """Nor are two, nor three who say little beside the truth of many: the model stays as it is."""
    for liars in (1, 2):
        model, told, _ = world(0)
        of = Lessons(1, model.probabilities)
        for at, (shown, label) in enumerate(told):
            of.hear(str(at), f"liar{at % liars}", shown, 1 - label, 1.0)
        assert of.live is None


def test_feedback_that_is_right_as_often_as_not_is_never_used():
    """There is nothing to learn in it."""
    for seed in SEEDS:
        model, told, _ = world(seed)
        of, rng = Lessons(1, model.probabilities), random.Random(seed)
        for at, (shown, _) in enumerate(told):
            right = int(rng.random() < model.probabilities(shown.values)[1])
            of.hear(str(at), f"s{at % 9}", shown, right, 1.0)
        assert of.live is None
