"""What a stretch of time saw, in numbers that can be added up: counts, and times in histograms.

Decides which counts there are and where a time falls. What is good or bad about them stands in `core.slo`, and to which
minute they belong in `core.slo_rings`.

All counts stand in one flat list, as a message costs least that way: `HISTOGRAMS` of `layout.width` places each, then
`COUNTERS`. A time belongs to the first bound that is not below it, so "<= 45 ms" is exact as long as 45 ms is a bound;
`Layout` sees to it that every bar is one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from math import inf
from typing import Final

from pointsman.model.outcome import Refusal
from pointsman.model.rollout import INCIDENTS

HISTOGRAMS: Final = ("overhead", "routing", "classification", "candidate", "legacy")
OVERHEAD, ROUTING, CLASSIFICATION, CANDIDATE, LEGACY = range(len(HISTOGRAMS))

INCIDENT_NAMES: Final = (*INCIDENTS, "other_incident")
"""Kinds of security incidents; one that this version does not know is an other."""

REFUSED: Final = ("refused_as_wrong", "refused_by_limits", "refused_under_load", "refused_while_draining")
"""Refusals on purpose, by kind; none of them is an outage."""

COUNTERS: Final = (
    "delivered",
    "failed",
    "dead",
    "expired",
    "cancelled",
    "message_fault",
    *REFUSED,
    "unavailable",
    "fault",
    "router_error",
    "candidate_ok",
    "candidate_refused",
    "legacy_ok",
    "fell_back",
    "health_fresh",
    "health_stale",
    *INCIDENT_NAMES,
)
"""Names of the counts beside the histograms; also those of the journal, so a name keeps its meaning.

`failed` are those that failed otherwise than by their sender's fault, which are `message_fault`. `unavailable`,
`fault` and `router_error` are the router's own errors: at admission, in HTTP, and after admission; the last is counted
beside the end of its message. `candidate_refused` are refusals by our own fault while a rollout was under way.
`health_*` count minutes.
"""

_KINDS: Final = {
    Refusal.RATE_LIMITED: "refused_by_limits",
    Refusal.FLOODING: "refused_by_limits",
    Refusal.BUDGET_EXCEEDED: "refused_by_limits",
    Refusal.OVERLOADED: "refused_under_load",
    Refusal.NO_WORKER: "refused_under_load",
    Refusal.QUEUE_FULL: "refused_under_load",
    Refusal.DRAINING: "refused_while_draining",
    Refusal.UNAVAILABLE: "unavailable",
}

_BOUNDS_S: Final = (
    *(0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.045, 0.05, 0.06, 0.075),
    *(0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0),
)


class Layout:
    """Where each count stands.

    Args:
        bars_s: times that must be bounds of the histograms, seconds.

    Attributes:
        bounds: of all histograms, rising, seconds.
        width: places of one histogram; the last is for what is above every bound.
        places: place of each counter, by name.
        refusals: place of the counter of each refusal.
        size: places in all.
    """

    def __init__(self, bars_s: Iterable[float] = ()) -> None:
        self.bounds = sorted({*_BOUNDS_S, *bars_s})
        self.width = len(self.bounds) + 1
        first = len(HISTOGRAMS) * self.width
        self.places = {name: first + at for at, name in enumerate(COUNTERS)}
        self.refusals = {reason: self.places[_KINDS.get(reason, "refused_as_wrong")] for reason in Refusal}
        self.size = first + len(COUNTERS)


class Tally:
    """Counts of one stretch of time; all begin at 0.

    Attributes:
        layout: which count stands where.
        counts: as laid out.
        sums: seconds, of each histogram.
    """

    __slots__ = ("counts", "layout", "sums")

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.counts = [0] * layout.size
        self.sums = [0.0] * len(HISTOGRAMS)

    def clear(self) -> None:
        """Begin at 0 again."""
        self.counts = [0] * self.layout.size
        self.sums = [0.0] * len(HISTOGRAMS)

    def time(self, histogram: int, seconds: float) -> None:
        """Count a time."""
        layout = self.layout
        self.counts[histogram * layout.width + bisect_left(layout.bounds, seconds)] += 1
        self.sums[histogram] += seconds

    def handed_out(self, overhead_s: float, classify_s: float) -> None:
        """Count what the router added to a message that a worker was given: in all, and without the classifier."""
        layout, counts, sums = self.layout, self.counts, self.sums
        bounds, routing_s = layout.bounds, overhead_s - classify_s
        counts[bisect_left(bounds, overhead_s)] += 1
        counts[layout.width + bisect_left(bounds, routing_s)] += 1
        sums[OVERHEAD] += overhead_s
        sums[ROUTING] += routing_s

    def count(self, name: str, times: int = 1) -> None:
        """Count something by its name; an unknown one is a KeyError."""
        self.counts[self.layout.places[name]] += times

    def of(self, *names: str) -> int:
        """Return how many of these there were, together."""
        return sum(self.counts[self.layout.places[name]] for name in names)

    @property
    def messages(self) -> int:
        """Messages that ended, each once."""
        return self.of("delivered", "failed", "dead", "expired", "cancelled", "message_fault")

    def histogram(self, histogram: int) -> list[int]:
        """Return the counts of a histogram, by bound, and what is above them all."""
        width = self.layout.width
        return self.counts[histogram * width : (histogram + 1) * width]

    def timed(self, histogram: int) -> int:
        """Return how many times were counted."""
        return sum(self.histogram(histogram))

    def above(self, histogram: int, bar_s: float) -> int:
        """Return how many took longer than the bar; exact, as every bar is a bound."""
        return sum(self.histogram(histogram)[bisect_left(self.layout.bounds, bar_s) + 1 :])

    def mean_s(self, histogram: int) -> float | None:
        """Return the mean; None where nothing was timed."""
        timed = self.timed(histogram)
        return self.sums[histogram] / timed if timed else None

    def quantile_s(self, histogram: int, share: float) -> float | None:
        """Return an estimate of the time that `share` (0..1) of all do not exceed; None where nothing was timed.

        Interpolated within the bound that it falls below. What lies above every bound counts as the highest.
        """
        counts, bounds = self.histogram(histogram), self.layout.bounds
        rank, below = share * sum(counts), 0
        if not sum(counts):
            return None
        for at, (bound, count) in enumerate(zip(bounds, counts, strict=False)):
            if count and below + count >= rank:
                low = bounds[at - 1] if at else 0.0
                return low + (bound - low) * max(0.0, rank - below) / count
            below += count
        return bounds[-1]

    def add(self, counts: Sequence[int], sums: Sequence[float]) -> None:
        """Add what another of the same layout has."""
        self.counts = [one + other for one, other in zip(self.counts, counts, strict=True)]
        self.sums = [one + other for one, other in zip(self.sums, sums, strict=True)]

    def add_histogram(self, histogram: int, bounds: Sequence[float], counts: Sequence[int], total_s: float) -> None:
        """Add a histogram of other bounds: what was below one of them is put below the next of ours.

        So a bar that was no bound when the times were counted is judged strictly: they may seem longer, never shorter.
        """
        first, ours = histogram * self.layout.width, self.layout.bounds
        for bound, count in zip((*bounds, inf), counts, strict=False):
            self.counts[first + bisect_left(ours, bound)] += count
        self.sums[histogram] += total_s
