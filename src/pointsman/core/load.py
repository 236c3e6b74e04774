"""What one worker carries, and how dear one more message on it would be.

Here stand the count of work in hand and two learned numbers for each worker: how long it takes and how often it
succeeds. Which worker is chosen is decided in `balance`, whether a worker is let through at all in `breaker`.

The cost is the shortest-expected-delay rule, `(in_flight + 1) * service_s / success_share ** 2`: the squared success
share is what keeps a worker that fails fast from looking fast (study "balancing", sections 3.1 and 3.3). Estimates of
a silent worker drift back to what the fleet does (Finagle's `PeakEwma.scala` lets them drift to nothing): a worker that
was slow an hour ago must be tried again, and nothing else would make it so.
"""

from __future__ import annotations

from math import exp, log
from typing import Any, Final

from pointsman.model.errors import UsageError

HALF_LIFE_S: Final = 30.0
"""Silence after which half of what was learned is forgotten, seconds (study, failure mode 14)."""

PATIENCE: Final = 3.0
"""While a worker has work in hand, so many of its service times (at least a half-life) of silence are no news."""

SERVICE_GAIN: Final = 0.05
"""Weight of the newest service time; job sizes vary more than speeds do, so about 20 are averaged."""

PRIOR_OUTCOMES: Final = 9
"""Outcomes that the fleet's mean counts for against a worker's first own ones."""

SUCCESS_GAIN: Final = 0.15
"""Weight of the newest success or failure: five failures in a row make a worker five times as dear."""

SUCCESS_FLOOR: Final = 0.05
"""Lowest success share; makes a worker 400 times as dear, and the cost stays finite."""

SERVICE_FLOOR_S: Final = 1e-6
"""Shortest service time in a cost, seconds, so that work in hand counts even where work takes no time."""

LONGEST_S: Final = 1e9
"""Longest service time believed, seconds (31 years); anything else is a fault of the measurement."""

FLEET_GAIN: Final = 0.005
"""Weight of the newest service time in the fleet's mean; about 200 outcomes are averaged."""

_DECAY_PER_S: Final = log(2.0) / HALF_LIFE_S


class FleetMean:
    """Mean service time of the workers of one pool: what is believed of a worker nothing is known of.

    Attributes:
        service_s: the mean, seconds. The guess it starts with is replaced by the first outcome.
    """

    __slots__ = ("_outcomes", "service_s")

    def __init__(self, guess_s: float = 1.0) -> None:
        self.service_s = guess_s
        self._outcomes = 0

    @property
    def known(self) -> bool:
        """Whether `service_s` was measured, and is not just the guess."""
        return self._outcomes > 0

    def add(self, service_s: float) -> None:
        """Count the service time of one successful call, seconds."""
        self._outcomes += 1
        gain = 1.0 / self._outcomes
        if gain < FLEET_GAIN:
            gain = FLEET_GAIN
        self.service_s += gain * (service_s - self.service_s)


class WorkerLoad:
    """One worker as a balancer sees it. One object from the day a worker joins to the day it leaves.

    `open`, `limit` and `ceiling` are set by the pool, which tells its balancer (`Balancer.update`) after every change
    and after every `start` and `finish`. `owner`, `index`, `stamp` and `filed_at` belong to that balancer.

    Attributes:
        id: of the worker.
        limit: messages it may work on at once, 1 or more.
        weight: relative share where a balancer uses weights, above 0.
        in_flight: messages it works on now, 0 or more.
        open: it may get messages at all: its breaker lets some through, it is not drained and not held back.
        ceiling: a second, passing bound on `in_flight`, such as what a half-open breaker lets through; starts as
            `limit`. Trap: raising `limit` changes nothing while `ceiling` is lower.
        owner: the balancer that holds it, or None.
        index: its place in a list of the balancer's, or -1.
        stamp: what the balancer filed it under; means something to that one only.
        filed_at: when the balancer did, monotonic seconds.
    """

    __slots__ = (
        "_heard_at",
        "_learned",
        "_mean",
        "_service_s",
        "_success_share",
        "ceiling",
        "filed_at",
        "id",
        "in_flight",
        "index",
        "limit",
        "open",
        "owner",
        "stamp",
        "weight",
    )

    def __init__(self, id: str, limit: int, mean: FleetMean, weight: float = 1.0) -> None:
        """Start idle and open, with the fleet's mean as service time and nothing held against it."""
        self.id = id
        self.limit = limit
        self.weight = weight
        self.in_flight = 0
        self.open = True
        self.ceiling = limit
        self.owner: object | None = None
        self.index = -1
        self.stamp: Any = 0
        self.filed_at = 0.0
        self._mean = mean
        self._learned = 0
        self._service_s = 0.0
        self._success_share = 1.0
        self._heard_at = 0.0

    @property
    def available(self) -> int:
        """Messages it can take on top of those in hand; 0 where it is not open."""
        if not self.open:
            return 0
        limit = self.limit
        free = (limit if limit < self.ceiling else self.ceiling) - self.in_flight
        return free if free > 0 else 0

    def start(self) -> None:
        """Count one more message in hand. Whether there was room is the caller's question, see `available`."""
        self.in_flight += 1

    def finish(self, now: float, service_s: float | None, ok: bool | None) -> None:
        """Count one message less in hand and learn from what came of it.

        Args:
            now: monotonic seconds.
            service_s: seconds the worker took; None, or a number that is no duration, teaches nothing about speed.
            ok: True and False count; None (cancelled, the message's own fault, a busy worker's refusal) does not: it
                changes `in_flight` and nothing else.

        Raises:
            UsageError: there was no message in hand; nothing has changed.
        """
        if self.in_flight <= 0:
            raise UsageError(
                f"worker {self.id} has no message in hand to finish: call finish exactly once after each start"
            )
        if service_s is not None and not 0.0 <= service_s <= LONGEST_S:
            service_s = None
        if ok:
            idle_s = now - self._heard_at - (service_s or 0.0)
            if idle_s > 0.0:
                self._service_s, self._success_share = self._drifted(idle_s)
            self._success_share += SUCCESS_GAIN * (1.0 - self._success_share)
            if service_s is not None:
                self._mean.add(service_s)
                self._learn(service_s)
        elif ok is not None:
            self._blame(now, service_s)
        self.in_flight -= 1
        if ok is not None and now > self._heard_at:
            self._heard_at = now

    def estimate(self, now: float) -> tuple[float, float]:
        """Return what is believed at `now`: service time in seconds, success share above 0 and up to 1."""
        silent_s = now - self._heard_at
        if self.in_flight:
            service_s = self._service_s if self._learned else self._mean.service_s
            silent_s -= max(HALF_LIFE_S, PATIENCE * service_s)
        return self._drifted(silent_s)

    def cost(self, now: float) -> float:
        """Return the expected delay of one more message: seconds, for a worker that never fails; above 0."""
        if self._learned and now - self._heard_at <= (HALF_LIFE_S if self.in_flight else 0.0):
            # Nothing has drifted: spares the commonest case a call.
            service_s = self._service_s
            success_share = self._success_share
        else:
            service_s, success_share = self.estimate(now)
        if service_s < SERVICE_FLOOR_S:
            service_s = SERVICE_FLOOR_S
        return (self.in_flight + 1) * service_s / (success_share * success_share)

    def _drifted(self, silent_s: float) -> tuple[float, float]:
        """Return service time and success share as they are after so many seconds without news."""
        mean_s = self._mean.service_s
        service_s = self._service_s if self._learned else mean_s
        if silent_s <= 0.0:
            return service_s, self._success_share
        kept = exp(-_DECAY_PER_S * silent_s)
        return mean_s + (service_s - mean_s) * kept, 1.0 - (1.0 - self._success_share) * kept

    def _blame(self, now: float, service_s: float | None) -> None:
        """Count a failure: the cost rises, or stays where it cannot rise.

        Whether the worker was idle or busy before this call is not known here, so of the two service times that this
        would make the longer counts.
        """
        busy_s, success_share = self.estimate(now)
        idle_s, _ = self._drifted(now - self._heard_at)
        self._service_s = max(busy_s, idle_s)
        self._success_share = max(SUCCESS_FLOOR, success_share * (1.0 - SUCCESS_GAIN))
        # The work would have taken at least so long: a failure may make a worker slower, never faster.
        if service_s is not None and service_s > self._service_s:
            self._learn(service_s)

    def _learn(self, service_s: float) -> None:
        """Move the service time towards a new one; the first moves the fleet's mean as it is now."""
        if not self._learned:
            self._service_s = self._mean.service_s
        self._learned += 1
        gain = 1.0 / (PRIOR_OUTCOMES + self._learned)
        if gain < SERVICE_GAIN:
            gain = SERVICE_GAIN
        self._service_s += gain * (service_s - self._service_s)
