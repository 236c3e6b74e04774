"""What a decision of the shipped model costs: the whole answer without its evidence, by length; and slow inputs."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.classification.figures import Figure
from benchmarks.classification.own import ask, classifier, shipped, texts
from benchmarks.report import percentile
from pointsman.core.classify.pipeline import Classifier

PART = "cost"
MESSAGES = 300
ROUNDS = 3


def measure(data: Path) -> Iterator[Figure]:
    """Yield microseconds by length."""
    of = classifier(shipped())
    for length, quantile, bar_us in ((40, 0.5, 40.0), (360, 0.5, 150.0), (1_400, 0.99, 1_500.0)):
        times = _times_us(of, _cut(length))
        yield Figure(
            PART, f"{length} characters, p{quantile * 100:.0f}", percentile(times, quantile), bar_us, unit="us"
        )
    yield Figure(PART, "100 KB", min(_times_us(of, _cut(100_000, count=5))) / 1e3, 3.0, unit="ms")
    for length in (40, 360, 1_400, 100_000):
        median = percentile(_times_us(of, _cut(length, count=20 if length > 10_000 else MESSAGES)), 0.5)
        worst, name = max((min(_times_us(of, [text] * 3)), name) for name, text in _hostile(length))
        yield Figure(
            PART,
            f"slowest input of {length:,} characters, against the median",
            worst / median,
            10.0,
            unit="x",
            note=name,
        )


def _times_us(of: Classifier, messages: Sequence[str]) -> list[float]:
    """Return the times of the messages, rising: of each the best of some rounds, the first of which warms up."""
    best = [float("inf")] * len(messages)
    gc.collect()
    for _ in range(ROUNDS + 1):
        for at, text in enumerate(messages):
            begun = time.perf_counter()
            ask(of, text)
            best[at] = min(best[at], time.perf_counter() - begun)
    return sorted(one * 1e6 for one in best)


def _cut(length: int, count: int = MESSAGES) -> list[str]:
    """Return messages of this length: own ones, joined and cut."""
    rng = random.Random(length)
    found = []
    for _ in range(count):
        text = rng.choice(texts())
        while len(text) < length:
            text += " " + rng.choice(texts())
        found.append(text[:length])
    return found


def _hostile(length: int) -> Iterator[tuple[str, str]]:
    rng = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = {
        "one letter": "a",
        "blanks": " ",
        "line ends": "\n",
        "one-letter words": "a b c d e f ",
        "fences": "```\n",
        "open tags": "<system-reminder>",
        "quotes": "> ",
        "digits": "0123456789 ",
        "paths": "a/b.c/d_e-f.g ",
        "lists": "- a\n1. b\n",
        "marks": "?!.;:,",
        "combining marks": "e\u0301\u0302",
        "wide letters": "\u4f60\u597d\u5417",
        "pictures": "\U0001f600\u200d",
    }
    for name, piece in pieces.items():
        yield name, (piece * (length // len(piece) + 1))[:length]
    yield "words never met", " ".join("".join(rng.choices(letters, k=7)) for _ in range(length // 8 + 1))[:length]
    yield "one endless word", "".join(rng.choices(letters, k=length))
