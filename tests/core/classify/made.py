"""Models made for tests: a weight for whatever a few texts show, drawn at random but the same each time."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import strategies as st

from pointsman.core.classify.ask import extract
from pointsman.core.classify.features import SIZES, pairs, pieces, shape
from pointsman.core.classify.linear import LinearModel, Scores
from pointsman.core.classify.marks import marking_rules, marks
from pointsman.core.classify.tokens import tokenize

_LINE = (
    "fix the typo why should we plan it implement plan page 12 app.py a_b run() `x` - 1. ok? no! wait; Ärger 中文 "
    "\U0001f600 line\n \n\n"
)
WORDS = _LINE.split(" ")
TEXTS = st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join)
FIRED = marking_rules()


def features_of(text: str, *, with_pieces: bool = False) -> list[str]:
    """Every feature of a text as often as it counts, the plain way; the reference that the model is held to."""
    left = extract(text)
    tokens = tokenize(left)
    words = dict.fromkeys(tokens)
    found = list(dict.fromkeys([*words, *pairs(tokens), *shape(text, left, tokens), *marks(FIRED.match(tokens))]))
    if with_pieces:
        for word in words:
            found += pieces(word)
    return found


def make(classes: int, texts: Sequence[str], *, with_pieces: bool = False, with_sizes: bool = False) -> LinearModel:
    """A model that knows about two in three features of these texts."""
    rng = random.Random(classes)
    names = sorted({name for text in texts for name in features_of(text, with_pieces=with_pieces)})
    width = 1 if classes == 2 else classes

    def row() -> float | list[int]:
        return rng.uniform(-2.0, 2.0) if width == 1 else [rng.randint(-127, 127) for _ in range(width)]

    return LinearModel(
        [f"c{number}" for number in range(classes)],
        {name: row() for name in names if rng.random() < 0.67},
        [rng.uniform(-1.0, 1.0) for _ in range(width)],
        [[rng.uniform(-0.5, 0.5) for _ in range(width)] for _ in SIZES] if with_sizes else (),
        unit=1.0 if width == 1 else 0.02,
        has_pieces=with_pieces,
    )


def ask(model: LinearModel, text: str) -> Scores:
    """Score a text as the pipeline does."""
    left = extract(text)
    tokens = tokenize(left)
    return model.score(text, left, tokens, marks(FIRED.match(tokens)))
