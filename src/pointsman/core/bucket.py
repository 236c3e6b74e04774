"""Token buckets by key: how much may come at once, how much in the long run, and when to come again.

Decides admission by rate. Does not know what a key is (a client, or everybody), in which order limits are
asked, or that a refusal becomes a 429: that is the layer's.

Algorithm: GCRA, the generic cell rate algorithm (ITU-T I.371, virtual scheduling), which decides exactly like
a token bucket with one number per key instead of two. The number is the *theoretical arrival time*, kept here
in tokens instead of seconds: the tokens poured since instant 0 at which the bucket will be full again. So one
message adds exactly 1.0, and a billion messages add up without drift, at a billion a minute as at one.

A bucket left alone for `burst / rate` is full, and a full bucket is what an unknown key has: forgetting it is
exact. See `core.generations` for the one way in which a bucket can be forgotten too early.
"""

from __future__ import annotations

from math import inf
from typing import Final

from pointsman.core.generations import Generations
from pointsman.model.errors import UsageError

_SLACK: Final = 1e-6
# Tokens by which rounding may be off. It does not add up: what is stored is never rounded in anybody's
# favour.

_ROUNDING: Final = 4e-16
# Relative error of an instant plus a wait, times a rate; added to the wait so that whoever keeps it is
# admitted.


class TokenBucket:
    """One token bucket per key, all with the same rate and burst.

    For each key, in any span of `t` seconds at most `burst + t * rate` is admitted, and nothing within that
    is refused.
    """

    __slots__ = ("_burst", "_full_at", "_rate")

    def __init__(self, rate_per_min: float, burst: float, max_keys: int) -> None:
        """Make full buckets for everybody.

        Args:
            rate_per_min: tokens poured a minute, above 0, up to 1e9; for "no limit" leave the bucket out.
            burst: size of the bucket in tokens, from 1.
            max_keys: most keys tracked, from 1; twice as many as there are makes the limit exact.

        Raises:
            UsageError: an argument is out of its range.
        """
        self._rate, self._burst = _checked(rate_per_min, burst)
        self._full_at: Generations[str] = Generations(max_keys, self._burst / self._rate)

    @property
    def tracked(self) -> int:
        """Keys remembered; never more than `max_keys`, or 2."""
        return len(self._full_at)

    def take(self, key: str, now: float, cost: float = 1.0) -> float:
        """Take `cost` tokens if they are there.

        Args:
            key: whose bucket.
            now: monotonic seconds.
            cost: tokens, 0 or more.

        Returns:
            0.0 if they were taken. Else the seconds after which they will be there, and nothing was taken;
            infinite if `cost` is larger than the bucket.
        """
        poured = now * self._rate
        full_at = self._full_at.young.get(key)
        if full_at is None:
            full_at = self._full_at.recall(key, now)
        if full_at is None or full_at < poured:
            full_at = poured
        full_at += cost
        over = full_at - poured - self._burst
        if over <= _SLACK:
            self._full_at.young[key] = full_at
            return 0.0
        if cost > self._burst:
            return inf
        wait_s = over / self._rate
        return wait_s + (now + wait_s) * _ROUNDING

    def refund(self, key: str, now: float, cost: float = 1.0) -> None:
        """Put back what `take` took, because the message was refused elsewhere. Never fills over the brim.

        Args:
            key: whose bucket; one that is not tracked is full already.
            now: monotonic seconds.
            cost: tokens, as they were taken.
        """
        full_at = self._full_at.young.get(key)
        if full_at is None:
            full_at = self._full_at.recall(key, now)
        if full_at is not None:
            self._full_at.young[key] = full_at - cost

    def peek(self, key: str, now: float) -> float:
        """Return the tokens in the bucket of `key` at `now`, 0 to `burst`; changes nothing."""
        full_at = self._full_at.get(key)
        missing = 0.0 if full_at is None else full_at - now * self._rate
        return min(self._burst, max(0.0, self._burst - missing))

    def resize(self, rate_per_min: float, burst: float, now: float) -> None:
        """Change rate and burst for everybody, and keep what each key has used.

        What a key has taken stays taken, in tokens, and is poured back at the new rate; a bucket that became
        smaller than that is empty, not in debt. Costs one pass over the keys.

        Args:
            rate_per_min: as at construction.
            burst: as at construction.
            now: monotonic seconds.

        Raises:
            UsageError: an argument is out of its range; nothing has changed.
        """
        rate, size = _checked(rate_per_min, burst)
        poured, repoured = now * self._rate, now * rate
        self._rate, self._burst = rate, size

        def keep_missing(full_at: float) -> float:
            return repoured + min(size, max(0.0, full_at - poured))

        self._full_at.revise(keep_missing, size / rate, now)


def _checked(rate_per_min: float, burst: float) -> tuple[float, float]:
    """Return tokens a second and the size of the bucket, or raise."""
    if not 0.0 < rate_per_min <= 1e9:
        raise UsageError(f"rate_per_min is {rate_per_min}, expected above 0 and up to 1e9; for no limit, use no bucket")
    if not 1.0 <= burst < inf:
        raise UsageError(f"burst is {burst}, expected 1 or more: a smaller bucket never admits a message")
    return rate_per_min / 60.0, float(burst)
