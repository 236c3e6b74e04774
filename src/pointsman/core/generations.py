"""One number per key, bounded, and forgotten exactly: what the rate limiter and the flood detector keep their
state in.

Decides only which numbers may be forgotten; what a number means is its owner's business. Two dictionaries:
the *young* one takes every write, the *old* one is only read. When the young one is older than the lifetime
of a value, or half of the allowed keys are in it, it becomes the old one and the former old one is dropped
whole. No sweeper, no list of ages, and no removal one by one (taking the first key of a dict again and again
costs its whole length each time).

What is dropped in time had not been written for a lifetime, so dropping it changes no answer. What is dropped
for want of room may have mattered: that needs half of `max_keys` *other* keys between two writes of one key,
so a table that is twice as large as the number of keys in use is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from math import inf
from typing import Generic, TypeVar

from pointsman.model.errors import UsageError

K = TypeVar("K", bound=Hashable)


class Generations(Generic[K]):
    """A bounded dictionary of floats in two generations.

    The owner reads and writes `young` directly, for speed, and calls `recall` for a key it does not find
    there.

    Attributes:
        young: what was written since the last turn. Replaced at each turn: do not keep a reference over a
            `recall`.
    """

    __slots__ = ("_half", "_lifetime_s", "_old", "_turn_at", "young")

    def __init__(self, max_keys: int, lifetime_s: float) -> None:
        """Make an empty table.

        Args:
            max_keys: most keys remembered, from 1; fewer than two are never remembered.
            lifetime_s: seconds after which a value that was not written again means nothing.

        Raises:
            UsageError: `max_keys` is below 1.
        """
        if max_keys < 1:
            raise UsageError(f"max_keys is {max_keys}, expected 1 or more")
        self.young: dict[K, float] = {}
        self._old: dict[K, float] = {}
        self._half = max(1, max_keys // 2)
        self._lifetime_s = lifetime_s
        self._turn_at = -inf

    def __len__(self) -> int:
        """Keys remembered; some of them may mean nothing any more."""
        return len(self.young) + len(self._old)

    def recall(self, key: K, now: float) -> float | None:
        """Return the value of a key that is not in `young`, moved there, or None.

        Also makes room: afterwards one more key may be written to `young`.

        Args:
            key: a key that `young` does not hold.
            now: monotonic seconds.
        """
        if now >= self._turn_at or len(self.young) >= self._half:
            self._old = self.young
            self.young = {}
            self._turn_at = now + self._lifetime_s
        value = self._old.pop(key, None)
        if value is not None:
            self.young[key] = value
        return value

    def get(self, key: K) -> float | None:
        """Return the value of a key, or None; changes nothing."""
        value = self.young.get(key)
        return self._old.get(key) if value is None else value

    def revise(self, change: Callable[[float], float], lifetime_s: float, now: float) -> None:
        """Replace every value by `change(value)`, because its meaning or its lifetime changed.

        Args:
            change: the new value for an old one.
            lifetime_s: the new lifetime, seconds.
            now: monotonic seconds.
        """
        self.young = {key: change(value) for key, value in self.young.items()}
        self._old = {key: change(value) for key, value in self._old.items()}
        self._lifetime_s = lifetime_s
        self._turn_at = now + lifetime_s
