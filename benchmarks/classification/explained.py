"""Whether the evidence of an answer is the answer: it adds up, and without its strongest part the score is lower."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.classification.figures import Figure
from benchmarks.classification.own import ask, classifier, shipped, texts
from pointsman.config.models import default_stored
from pointsman.core.classify.ask import extract
from pointsman.core.classify.linear import LinearModel
from pointsman.core.classify.tokens import tokenize

PART = "explained"
MESSAGES = 1_000
REMOVED = 3


def measure(data: Path) -> Iterator[Figure]:
    """Yield how far sums are off, and how often removing what spoke loudest lowers the score."""
    of = classifier(shipped())
    worst = summed = 0.0
    for text in texts()[:MESSAGES]:
        answer = ask(of, text)
        if answer.logit is not None:
            summed += 1
            worst = max(worst, abs(answer.bias + sum(one.weight for one in answer.evidence) - answer.logit))
    yield Figure(PART, "messages whose sums were checked", summed)
    yield Figure(PART, "contributions + bias against the logit, at worst", worst, 1e-6)
    lower, tried = _without_the_strongest()
    yield Figure(
        PART,
        f"without the {REMOVED} strongest features the score is lower",
        100.0 * lower / tried,
        95.0,
        at_least=True,
        unit="%",
        note=f"of {tried} messages",
    )


def _without_the_strongest() -> tuple[int, int]:
    stored = default_stored()
    weights = dict(zip(stored.vocabulary, stored.weights, strict=True))  # type: ignore[arg-type]
    model = LinearModel(stored.classes, weights, stored.bias, stored.sizes, has_pieces=stored.pieces)
    lower = tried = 0
    for text in texts()[:: max(1, len(texts()) // 300)]:
        left = extract(text)
        tokens = tokenize(left)
        scores = model.score(text, left, tokens)
        sign = 1.0 if scores.values[0] > 0.0 else -1.0
        listed = [name for name, amount in model.contributions(scores.seen, scores.sizes) if amount * sign > 0.0][
            :REMOVED
        ]
        if not listed:
            continue
        tried += 1
        kept = {name: weight for name, weight in weights.items() if name not in listed}
        less = LinearModel(stored.classes, kept, stored.bias, stored.sizes, has_pieces=stored.pieces)
        lower += sign * less.score(text, left, tokens).values[0] < sign * scores.values[0]
    return lower, tried
