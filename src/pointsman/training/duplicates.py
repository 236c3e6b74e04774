"""Which messages say nearly the same: pairs whose sets of words have a Jaccard of a half or more.

Exact, and far from looking at every pair. Two sets so alike must share one of their rarest words (prefix filter,
Chaudhuri et al. 2006), must be of similar size, and of the smaller one only a third of the words need be listed
(Bayardo et al. 2007, "Scaling up all pairs similarity search"). What is left is thrown out by a sketch of 256 bits
wherever even the sketches differ too much (Sandes et al. 2017, "Bitmap filter"), and only then are the words compared.

A file of nothing but near-duplicates has as many pairs as rows squared. So there are bounds, which varied texts are far
from: `MOST_COPIES`, `MOST_PAIRS` and `MOST_LOOKS`. Beyond them a text is still paired with one that it is like.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pointsman.core.classify.tokens import BREAK, tokenize

NEAR: Final = 0.5
"""Jaccard of the sets of words from which two messages count as near-duplicates."""

MOST_COPIES: Final = 32
"""Copies word by word that are paired with each other; of more, each is paired with the first."""

MOST_PAIRS: Final = 1_000_000
"""Pairs from which on a text is paired with one other only."""

MOST_LOOKS: Final = 1_000_000_000
"""Comparisons of sketches until only the latest candidates of each word are looked at."""

_COMPARING: Final = 50
"""What comparing words costs in comparisons of sketches."""

_LATEST: Final = 256
_LANES: Final = 4
"""Words of 64 bits of a sketch."""


class _Postings(NamedTuple):
    """Which texts list a word: those of word `w` are `texts[starts[w] : starts[w + 1]]`, the shortest first."""

    starts: NDArray[np.int64]
    texts: NDArray[np.int64]


def near_duplicates(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Return the pairs of positions whose texts are near-duplicates, each once, the earlier one first."""
    alike: defaultdict[frozenset[str], list[int]] = defaultdict(list)
    for at, text in enumerate(texts):
        alike[frozenset(tokenize(text)) - {BREAK}].append(at)
    alike.pop(frozenset(), None)
    found = [pair for copies in alike.values() for pair in _among(copies)]
    sets = sorted(alike, key=lambda one: (len(one), alike[one][0]))
    paired = -1
    for one, other in _similar(sets):
        if len(found) >= MOST_PAIRS and other == paired:
            continue
        paired = other
        found += [_in_order(left, right) for left in _few(alike[sets[one]]) for right in _few(alike[sets[other]])]
    return sorted(found)


def _in_order(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)


def _few(copies: list[int]) -> list[int]:
    return copies if len(copies) <= MOST_COPIES else copies[:1]


def _among(copies: list[int]) -> Iterator[tuple[int, int]]:
    for place, at in enumerate(copies[1:], 1):
        for other in copies[:place] if len(copies) <= MOST_COPIES else copies[:1]:
            yield other, at


def _similar(sets: Sequence[frozenset[str]]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of places of different sets that are near; `sets` rise in size."""
    words = [np.sort(one) for one in _numbered(sets)]
    size = np.array([len(one) for one in words], dtype=np.int64)
    postings = _listed(words)
    sketches = np.array([_sketch(one) for one in words], dtype=np.uint64).reshape(-1, _LANES)
    shortest = np.searchsorted(size, np.ceil(size * NEAR), side="left")
    looks = 0
    for at, mine in enumerate(words):
        candidates = _candidates(postings, mine, int(shortest[at]), at, is_hasty=looks > MOST_LOOKS)
        if not len(candidates):
            continue
        looks += len(candidates)
        total = size[candidates] + size[at]
        least = np.ceil(total * (NEAR / (1.0 + NEAR)) - 1e-9)
        # Each word that only one of two sets holds changes one bit of a sketch, or hides behind another.
        apart = np.bitwise_count(sketches[candidates] ^ sketches[at]).sum(axis=1, dtype=np.int64)
        likely = np.unique(candidates[total - apart >= 2 * least]).tolist()
        looks += _COMPARING * len(likely)
        for other in likely:
            shared = len(sets[at] & sets[other])
            if shared >= NEAR * (len(sets[at]) + len(sets[other]) - shared):
                yield other, at


def _numbered(sets: Sequence[frozenset[str]]) -> Iterator[NDArray[np.int64]]:
    """Yield each set as numbers of its words, the rarest word of all being 0."""
    common = Counter(word for one in sets for word in one)
    number = {word: at for at, word in enumerate(sorted(common, key=lambda word: (common[word], word)))}
    for one in sets:
        yield np.array([number[word] for word in one], dtype=np.int64)


def _listed(words: Sequence[NDArray[np.int64]]) -> _Postings:
    """Return which sets list which words: the rarest third of each, and one more."""
    parts = [one[: len(one) - -(-2 * len(one) // 3) + 1] for one in words]
    listed = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
    texts = np.repeat(np.arange(len(parts)), [len(one) for one in parts])
    order = np.argsort(listed, kind="stable")
    highest = max((int(one[-1]) for one in words), default=-1)
    return _Postings(np.searchsorted(listed[order], np.arange(highest + 2)), texts[order])


def _candidates(
    postings: _Postings, mine: NDArray[np.int64], first: int, last: int, *, is_hasty: bool
) -> NDArray[np.int64]:
    """Return places from `first` to before `last` that list one of the rarest half of these words; some repeatedly."""
    probed = mine[: len(mine) - -(-len(mine) // 2) + 1]
    found = []
    for start, end in zip(postings.starts[probed].tolist(), postings.starts[probed + 1].tolist(), strict=True):
        if end - start < 2:  # the one text that lists this rare word is this one, or comes later
            if end > start and first <= postings.texts[start] < last:
                found.append(postings.texts[start:end])
            continue
        those = postings.texts[start:end]
        low, high = np.searchsorted(those, (first, last))
        if high > low:
            found.append(those[max(low, high - _LATEST) if is_hasty else low : high])
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def _sketch(words: NDArray[np.int64]) -> list[int]:
    lanes = [0] * _LANES
    for word in words.tolist():
        # A multiplicative hash (Knuth): neighbours in rarity should not be neighbours in the sketch.
        bit = (word * 2_654_435_761 & 0xFFFFFFFF) >> 24
        lanes[bit >> 6] |= 1 << (bit & 63)
    return lanes
