"""A provider account that several workers draw from: whether one more request may go out now, and from when.

Decides by three sources, and all must agree. The figures of the settings, as token buckets of one minute's size (the
algorithm that providers document). What the provider says is left, in the headers of each reply, as buckets of the
provider's own size and pace. And its 429, which stops the account until the instant it names, or for a time that
doubles. Does not know workers, or what becomes of a message that may not go out.

*Learning.* What a reply says was true when the provider took that request: later requests are not in it. So what has
been drawn since that request is taken off, what has flowed in since is added, and a reply to an older request than the
last one believed says nothing new. Where the provider says when all is there again, that gives the pace, so that what a
day allows is refilled in a day.

*Large messages.* One that needs more than is there must wait, and small ones must not take away for ever what it waits
for: what it needs is kept for it until shortly after it can be there. One that needs more than a full bucket goes out
when the bucket is full.

*Tokens* are drawn as estimated, and corrected when the reply has ended. Those read from the provider's cache are given
back: most providers do not count them, and where one does, its headers say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Final, NamedTuple

from pointsman.core.rate_headers import INPUT, OUTPUT, REQUESTS, TOKENS, Reading
from pointsman.model.settings import QuotaSettings
from pointsman.model.usage import Usage

_MINUTE_S: Final = 60.0
_DAY_S: Final = 86_400.0
_SLACK: Final = 1e-6
_GRACE_S: Final = 5.0
"""For how long after the instant at which a large message may go out what it needs is kept for it."""

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0
_TYPICAL_SHARE: Final = 0.1
"""How much of what is believed of the next message comes from the last one."""

Costs = dict[str, float]


class Draw:
    """One request that went out: what it drew, and how much had been drawn in all when it went."""

    __slots__ = ("at", "costs", "drawn", "heard", "number")

    def __init__(self, costs: Costs, at: float, number: int, drawn: Costs) -> None:
        self.costs = costs
        self.at = at
        self.number = number
        self.drawn = drawn
        self.heard = False


class _Kept(NamedTuple):
    """What is kept for a message that must wait. `until`: monotonic seconds."""

    message_id: str
    costs: Costs
    until: float


class Bucket:
    """A token bucket: `limit` at most, refilled at `rate` a second."""

    __slots__ = ("at", "level", "limit", "rate")

    def __init__(self, limit: float, now: float) -> None:
        self.limit = limit
        self.rate = limit / _MINUTE_S
        self.level = limit
        self.at = now

    def fill(self, now: float) -> None:
        """Let flow in what has come since the last time."""
        if now > self.at:
            self.level = min(self.limit, self.level + (now - self.at) * self.rate)
            self.at = now

    def wait_s(self, cost: float) -> float:
        """Return for how long, from the last `fill`, until so much is there; a full bucket is enough for anything."""
        missing = min(cost, self.limit) - self.level
        if missing <= _SLACK:
            return 0.0
        return missing / self.rate if self.rate > 0.0 else inf

    def resize(self, limit: float) -> None:
        """Change the size, and keep what has been taken out."""
        self.level = limit - (self.limit - self.level)
        self.limit = limit
        self.rate = limit / _MINUTE_S


class Quota:
    """One provider account.

    Attributes:
        in_flight: requests that are out.
        paused_until: monotonic seconds until which the provider wants no request.

    Args:
        settings: what the account allows.
        now: monotonic seconds.
    """

    def __init__(self, settings: QuotaSettings, now: float) -> None:
        self.in_flight = 0
        self.paused_until = 0.0
        self._settings = settings
        self._given: dict[str, Bucket] = {}
        self._learnt: dict[str, Bucket] = {}
        self._learnt_from = 0
        self._number = 0
        self._drawn: Costs = {REQUESTS: 0.0, INPUT: 0.0, OUTPUT: 0.0, TOKENS: 0.0}
        self._typical = _costs(1, 1)
        self._kept_for: _Kept | None = None
        self._throttled = 0
        self.use(settings, now)

    def use(self, settings: QuotaSettings, now: float) -> None:
        """Put other figures into force and keep what has been drawn."""
        self._settings = settings
        for kind, limit in _limits(settings).items():
            if not limit:
                self._given.pop(kind, None)
            elif kind in self._given:
                self._given[kind].fill(now)
                self._given[kind].resize(limit)
            else:
                self._given[kind] = Bucket(limit, now)
        if not settings.learn:
            self._learnt.clear()

    def draw(self, message_id: str, now: float, input_tokens: int, output_tokens: int) -> Draw | float:
        """Draw a request and its tokens.

        Args:
            message_id: whose; what is kept for a message is its own.
            now: monotonic seconds.
            input_tokens: as estimated.
            output_tokens: as estimated.

        Returns:
            The draw, to be given to `finish`; or for how many seconds it must wait, infinite while as many requests are
            out as may be. Nothing was drawn then.
        """
        costs = _costs(input_tokens, output_tokens)
        kept = self._kept(now)
        if kept is None or kept.message_id == message_id:
            wait_s = self._wait_s(now, costs)
        else:
            wait_s = self._wait_s(now, {kind: of + kept.costs[kind] for kind, of in costs.items()})
        if wait_s > 0.0:
            if kept is None and wait_s < inf:
                self._kept_for = _Kept(message_id, costs, now + wait_s + _GRACE_S)
            return wait_s
        if kept is not None and kept.message_id == message_id:
            self._kept_for = None
        for kind, cost in costs.items():
            self._drawn[kind] += cost
            self._typical[kind] += (cost - self._typical[kind]) * _TYPICAL_SHARE
        self._move(costs, -1.0, (self._given, self._learnt))
        self.in_flight += 1
        self._number += 1
        return Draw(costs, now, self._number, dict(self._drawn))

    def _kept(self, now: float) -> _Kept | None:
        if self._kept_for is not None and self._kept_for.until < now:
            self._kept_for = None
        return self._kept_for

    def _wait_s(self, now: float, costs: Costs) -> float:
        most = self._settings.max_in_flight
        if most and self.in_flight >= most:
            return inf
        wait_s = self.paused_until - now
        for buckets in (self._given, self._learnt):
            for kind, bucket in buckets.items():
                bucket.fill(now)
                wait_s = max(wait_s, bucket.wait_s(costs[kind]))
        return max(0.0, wait_s)

    def _move(self, costs: Costs, sign: float, where: tuple[dict[str, Bucket], ...]) -> None:
        for buckets in where:
            for kind, bucket in buckets.items():
                bucket.level = min(bucket.limit, bucket.level + sign * costs[kind])

    def ready_at(self, now: float) -> float:
        """Return from when a request may go out, monotonic seconds; at or before `now` if it may.

        One like the last ones, or the one that something is kept for.
        """
        kept = self._kept(now)
        return now + self._wait_s(now, self._typical if kept is None else kept.costs)

    def finish(self, draw: Draw, now: float, usage: Usage | None, *, sent: bool) -> None:
        """The request is over: correct what it was expected to take.

        Args:
            draw: what `draw` returned; once.
            now: monotonic seconds.
            usage: what it took, or None where nobody knows.
            sent: the provider may have seen it; else it took nothing at all.
        """
        self.in_flight -= 1
        if not sent:
            back = draw.costs
        elif usage is None:
            return
        else:
            took = _costs(usage.input_tokens - usage.cached_input_tokens, usage.output_tokens)
            back = {kind: of - took[kind] for kind, of in draw.costs.items()}
        # What the provider has said since counts all it knows; what it has not spoken of is ours to correct.
        self._move(back, 1.0, (self._given,) if draw.heard else (self._given, self._learnt))

    def hear(self, draw: Draw, now: float, readings: Mapping[str, Reading]) -> None:
        """Learn from the head of the reply to a request.

        Args:
            draw: the request.
            now: monotonic seconds.
            readings: as `rate_headers.readings` found them.
        """
        if not self._settings.learn or not readings or draw.number < self._learnt_from:
            return
        self._learnt_from = draw.number
        draw.heard = True
        for kind, reading in readings.items():
            self._learn(kind, draw, now, reading)

    def _learn(self, kind: str, draw: Draw, now: float, reading: Reading) -> None:
        bucket = self._learnt.get(kind)
        limit = reading.limit or (bucket.limit if bucket else 0)
        if not limit:
            return
        if bucket is None:
            bucket = self._learnt[kind] = Bucket(limit, now)
        bucket.limit = limit
        if reading.remaining is None:
            bucket.level = min(bucket.level, limit)
            return
        missing = limit - reading.remaining
        pace = missing / reading.reset_s if missing > 0 and reading.reset_s else limit / _MINUTE_S
        bucket.rate = min(max(pace, limit / _DAY_S), limit)
        left = min(limit, reading.remaining + (now - draw.at) * bucket.rate)
        bucket.level = left - (self._drawn[kind] - draw.drawn[kind])
        bucket.at = now

    def throttle(self, now: float, wish_s: float | None) -> None:
        """The provider refused a request as one too many, and wants no other for `wish_s` seconds, where it says so."""
        self._throttled += 1
        if wish_s is None:
            wish_s = min(_FIRST_PAUSE_S * 2.0 ** min(self._throttled - 1, 16), _LONGEST_PAUSE_S)
        self.paused_until = max(self.paused_until, now + min(wish_s, _DAY_S))

    def answered(self) -> None:
        """The provider took a request: the next refusal is the first again."""
        self._throttled = 0

    def left_shares(self, now: float) -> dict[str, float]:
        """Return how much is left, 0..1, by kind: of what is narrower, the settings or the provider's word."""
        shares: dict[str, float] = {}
        for buckets in (self._given, self._learnt):
            for kind, bucket in buckets.items():
                bucket.fill(now)
                share = max(0.0, bucket.level) / bucket.limit
                shares[kind] = min(share, shares.get(kind, 1.0))
        if self._settings.max_in_flight:
            shares["in_flight"] = max(0.0, 1.0 - self.in_flight / self._settings.max_in_flight)
        return shares


def _costs(input_tokens: int, output_tokens: int) -> Costs:
    return {REQUESTS: 1.0, INPUT: input_tokens, OUTPUT: output_tokens, TOKENS: input_tokens + output_tokens}


def _limits(settings: QuotaSettings) -> dict[str, int]:
    return {
        REQUESTS: settings.rpm,
        INPUT: settings.input_tokens_per_min,
        OUTPUT: settings.output_tokens_per_min,
    }
