"""What a model sees of an ask: its words, pairs of neighbours, pieces of words, shape, and a few sizes.

One place for training and for use, so that the two cannot differ. Nothing here weighs anything. A name tells its kind
by its first character or by a blank in it, and no message can forge another kind:

- `fix`: a word, as `tokens` cuts it.
- `fix the`, `| fix`: two neighbours; `|` is the beginning or the end of a clause.
- `~fi`, `~ix_`: a piece of a word of three to five characters, `_` its edges. Pieces let a word that was never seen,
  or is spelt wrong, count by what it looks like (Bojanowski et al. 2017, "Enriching word vectors with subword
  information").
- `=question`, `=words>=16`: the shape of the whole.

`ask` says what is looked at, and how much of it; all here is linear in that.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import Final

from pointsman.core.classify.ask import FENCE
from pointsman.core.classify.tokens import BREAK

SHORTEST: Final = 3
LONGEST: Final = 5
"""Characters of a piece, edges included."""

MOST_OF_A_WORD: Final = 24
"""Characters of a word that give pieces; longer ones are names of files and the like."""

_LENGTHS: Final = (4, 8, 16, 32, 64, 128, 256)
_DIGITS: Final = (1, 4, 16, 64)
_BY_LENGTH: Final = tuple(f"=words>={bound}" for bound in _LENGTHS)
_BY_DIGITS: Final = tuple(f"=digits>={bound}" for bound in _DIGITS)
# Both begin with what is rare, which lets the search leap.
_ITEM: Final = re.compile(r"\n[ \t]{0,3}(?:[-*+]|\d{1,2}[.)])[ \t]")
_PATH: Final = re.compile(r"[./](?<=[A-Za-z0-9_-][./])[A-Za-z0-9_-]")
_NUMBER: Final = re.compile(r"[0-9]+")
_END: Final = re.compile(r"[.!?\n\u3002\uff1f\uff01\u0964]")

SIZES: Final = ("=log characters", "=log digits", "=log sentences", "=log numbers")
"""Names of the sizes that `sizes` gives, in its order."""

_USUAL: Final = (5.5, 2.0, 1.3, 1.5)
"""About the mean of each over short requests, so that what a model learns of it starts near zero."""

_SCALE: Final = 0.3
"""What a size counts beside words, of which there are many."""


def neighbours(tokens: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each two neighbours; before the first and after the last stands a break."""
    return pairwise(chain((BREAK,), tokens, (BREAK,)))


def pairs(tokens: Sequence[str]) -> list[str]:
    """Return the names of all neighbours: the two with a blank between."""
    return [f"{one} {other}" for one, other in neighbours(tokens)]


def pieces(word: str) -> Iterator[str]:
    """Yield the pieces of a word, each as often as it stands there."""
    edged = f"_{word[:MOST_OF_A_WORD]}_"
    length = len(edged)
    for size in range(SHORTEST, LONGEST + 1):
        for start in range(length - size + 1):
            yield f"~{edged[start : start + size]}"


def shape(source: str, text: str, tokens: Sequence[str]) -> list[str]:
    """Return what is true of the whole.

    Args:
        source: the ask as its sender wrote it.
        text: what `ask.extract` left of it.
        tokens: those of `text`.
    """
    words = len(tokens) - tokens.count(BREAK)
    digits = sum(map(text.count, "0123456789"))
    found = [*_BY_LENGTH[: bisect_right(_LENGTHS, words)], *_BY_DIGITS[: bisect_right(_DIGITS, digits)]]
    if "?" in text or "\uff1f" in text:
        found.append("=question")
        if text.rstrip().endswith(("?", "\uff1f")):
            found.append("=ends asking")
    if FENCE in source:
        found.append("=fence")
    elif "`" in text:
        found.append("=code mark")
    if "_" in text or "()" in text:
        found.append("=identifier")
    if _ITEM.match("\n" + text[:8]) or _ITEM.search(text):
        found.append("=list")
    if _PATH.search(text):
        found.append("=path")
    return found


def sizes(text: str) -> tuple[float, ...]:
    """Return how large what `ask.extract` left is in several ways, logarithmic and about zero; names in `SIZES`."""
    counted = (
        len(text),
        sum(map(text.count, "0123456789")),
        len(_END.findall(text)),
        len(_NUMBER.findall(text)),
    )
    return tuple((math.log1p(count) - usual) * _SCALE for count, usual in zip(counted, _USUAL, strict=True))
