"""How many words of a message a model does not know, as a reference for later: measured on messages it has not seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pointsman.core.classify.ask import extract
from pointsman.core.classify.tokens import BREAK, tokenize
from pointsman.training.learning import LEAST


def unknown_share(learnt: Sequence[str], judged: Sequence[str], fold: Sequence[int]) -> float:
    """Return the mean share, 0..1, of the different words of a judged text that its model does not know.

    Args:
        learnt: texts that were learnt from.
        judged: texts that were judged: others, or the same, fold by fold.
        fold: of each text the fold in which it was judged; empty where others were.
    """
    everywhere, folds, texts = Counter[str](), dict[int, Counter[str]](), [_words(text) for text in learnt]
    for at, words in enumerate(texts):
        everywhere.update(words)
        if len(fold):
            folds.setdefault(fold[at], Counter()).update(words)
    judged_words = texts if len(fold) else [_words(text) for text in judged]
    shares = []
    for at, words in enumerate(judged_words):
        here = folds[fold[at]] if len(fold) else Counter[str]()
        shares.append(sum(everywhere[word] - here[word] < LEAST for word in words) / max(1, len(words)))
    return sum(shares) / max(1, len(shares))


def _words(text: str) -> set[str]:
    return set(tokenize(extract(text))) - {BREAK}
