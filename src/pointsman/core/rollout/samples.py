"""Decides which differences are kept to be looked at: of each kind a fair sample, never a message's words.

Reservoir sampling (Vitter 1985, algorithm R): after any number of differences each of them is kept with the same
chance, and memory stays what it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import random


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One difference, without the text of the message.

    Attributes:
        id: of the message.
        at: Unix seconds at which it was received.
        kind: one of `DIFFERENCES`.
        text_hash: of the text that classification looks at, 16 hexadecimal digits; equal texts have equal ones.
        text_chars: length of that text.
        size_bytes: of the whole message.
        legacy_ok: the old router answered without an error of its own.
        legacy_class, legacy_worker: what it says it chose, or None.
        candidate_class: the class that this router would have given, or empty.
        cause, confidence: of that class.
        reason: why this router would not have accepted the message, or empty.
    """

    id: str
    at: float
    kind: str
    text_hash: str
    text_chars: int
    size_bytes: int
    legacy_ok: bool
    legacy_class: str | None
    legacy_worker: str | None
    candidate_class: str
    cause: str
    confidence: float
    reason: str


class Samples:
    """A reservoir for each kind. `resize` says how large.

    Args:
        rng: chance.
    """

    __slots__ = ("_keep", "_kept", "_rng", "_seen")

    def __init__(self, rng: random.Random) -> None:
        self._keep = 0
        self._rng = rng
        self._kept: dict[str, list[Sample]] = {}
        self._seen: dict[str, int] = {}

    def resize(self, keep: int) -> None:
        """Keep at most `keep` of each kind from now on; what is too much goes. With 0 nothing is kept."""
        self._keep = keep
        for kept in self._kept.values():
            del kept[keep:]

    def wants(self, kind: str) -> int | None:
        """Count a difference of a kind; return the place it is to be put, or None where it is not kept.

        Asked before the sample is made, since most are not kept.
        """
        seen = self._seen[kind] = self._seen.get(kind, 0) + 1
        place = seen - 1 if seen <= self._keep else int(self._rng.random() * seen)
        return place if place < self._keep else None

    def put(self, place: int, sample: Sample) -> None:
        """Keep a sample at the place that `wants` returned for its kind."""
        kept = self._kept.setdefault(sample.kind, [])
        if place < len(kept):
            kept[place] = sample
        else:
            kept.append(sample)

    def all(self) -> list[Sample]:
        """Return what is kept, the newest first."""
        return sorted((one for kept in self._kept.values() for one in kept), key=lambda one: (-one.at, one.id))
