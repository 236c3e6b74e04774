"""Counters, gauges and histograms on plain dicts and lists: one dictionary look-up an observation.

A series is a tuple of label values, in the order of the metric's labels. Its first observation takes the slow
way, where unknown values become `other` and the number of series is bounded; every later one is
`slots[labels] += 1`.

One thread writes (that of the event loop); any thread may read, as `items` copies in one step.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

from pointsman.telemetry.metric import NONE, OTHER, Kind, Label, Metric, Source
from pointsman.telemetry.names import BY_NAME

Labels = tuple[str, ...]

MOST_NAMES: Final = 1000
"""Names of one source that are known at most; what comes later is `other`, and counted as dropped."""


class Known:
    """Names of pools, workers and classes that may be label values, and what had to be folded into `other`."""

    def __init__(self, names: dict[Source, set[str]] | None = None) -> None:
        self.names = names or {source: {NONE} for source in Source}
        self.dropped: dict[str, int] = {}

    def learn(self, source: Source, names: Iterable[str]) -> None:
        """Let these names be label values from now on, as far as there is room."""
        known = self.names[source]
        for name in names:
            if len(known) >= MOST_NAMES:
                return
            known.add(name)

    def resolve(self, label: Label, value: str, metric: Metric) -> str:
        """Return the value as a plain string, or `other` if it is not known."""
        if label.source is Source.CODE:
            return str(value)
        allowed = self.names[label.source] if label.source else label.values
        if value in allowed:
            return str(value)
        if label.source and len(allowed) >= MOST_NAMES:
            self.drop(metric)
        return OTHER

    def drop(self, metric: Metric) -> None:
        """Count an observation that got no series of its own."""
        self.dropped[metric.name] = self.dropped.get(metric.name, 0) + 1


class _Series:
    """What the three kinds share: the label sets of one metric and their bound."""

    __slots__ = ("_known", "metric")

    def __init__(self, metric: Metric, known: Known) -> None:
        self.metric = metric
        self._known = known

    def _admit(self, labels: Labels, slots: dict[Labels, float] | dict[Labels, list[float]]) -> Labels:
        """Return the label set that these labels count for: themselves, or with `other` in the place of some."""
        of = self.metric
        known = self._known
        resolved = tuple(known.resolve(label, value, of) for label, value in zip(of.labels, labels, strict=True))
        if resolved in slots or len(slots) < of.max_series:
            return resolved
        known.drop(of)
        return tuple(OTHER if label.source else value for label, value in zip(of.labels, resolved, strict=True))


class Counter(_Series):
    """Numbers that only ever grow."""

    __slots__ = ("slots",)

    def __init__(self, metric: Metric, known: Known) -> None:
        super().__init__(metric, known)
        self.slots: dict[Labels, float] = {}

    def begin(self, labels: Labels) -> None:
        """Let a series be seen before anything has happened."""
        self.add(labels, 0)

    def add(self, labels: Labels = (), by: float = 1) -> None:
        """Add `by`, 0 or more."""
        try:
            self.slots[labels] += by
        except KeyError:
            admitted = self._admit(labels, self.slots)
            self.slots[admitted] = self.slots.get(admitted, 0) + by

    def items(self) -> list[tuple[Labels, float]]:
        """Return every series with its value, in order of appearance."""
        return list(self.slots.items())


class Gauge(Counter):
    """Numbers as they are at one moment: made anew for each reading, so that what is gone does not linger."""

    __slots__ = ()

    def highest(self, labels: Labels, value: float) -> None:
        """Set to `value`, or keep what is there if higher: of those that share `other`, the worst shows."""
        admitted = self._admit(labels, self.slots)
        self.slots[admitted] = max(value, self.slots.get(admitted, value))

    def lowest(self, labels: Labels, value: float) -> None:
        """Set to `value`, or keep what is there if lower."""
        admitted = self._admit(labels, self.slots)
        self.slots[admitted] = min(value, self.slots.get(admitted, value))


class Histogram(_Series):
    """Durations, counted by bucket. A slot holds a count for each bucket, the infinite one last, then the sum."""

    __slots__ = ("bounds", "slots")

    def __init__(self, metric: Metric, known: Known) -> None:
        super().__init__(metric, known)
        self.bounds = metric.buckets
        self.slots: dict[Labels, list[float]] = {}

    def begin(self, labels: Labels) -> None:
        """Let a series be seen before anything has happened."""
        self._first(labels)

    def observe(self, seconds: float, labels: Labels = ()) -> None:
        """Count a duration. What is not above 0, such as a difference lost in rounding, counts as 0."""
        slot = self.slots.get(labels)
        if slot is None:
            slot = self._first(labels)
        if not seconds > 0.0:
            seconds = 0.0
        slot[bisect_left(self.bounds, seconds)] += 1
        slot[-1] += seconds

    def _first(self, labels: Labels) -> list[float]:
        return self.slots.setdefault(self._admit(labels, self.slots), [0] * (len(self.bounds) + 1) + [0.0])

    def items(self) -> list[tuple[Labels, list[float]]]:
        """Return every series with a copy of its slot, in order of appearance."""
        return [(labels, list(slot)) for labels, slot in list(self.slots.items())]


Series = Counter | Gauge | Histogram


class Registry:
    """The counters and histograms of one router, by metric name. Gauges are read, not kept: see `snapshot`."""

    def __init__(self) -> None:
        self.known = Known()
        self.series: dict[str, Counter | Histogram] = {}

    def counter(self, name: str) -> Counter:
        """Return the counter of that name in the table. Raises KeyError or TypeError if there is none."""
        made = Counter(_of_kind(name, Kind.COUNTER), self.known)
        self.series[name] = made
        return made

    def histogram(self, name: str) -> Histogram:
        """Return the histogram of that name in the table. Raises KeyError or TypeError if there is none."""
        made = Histogram(_of_kind(name, Kind.HISTOGRAM), self.known)
        self.series[name] = made
        return made

    def know(self, source: Source, names: Iterable[str]) -> None:
        """Let these names be label values from now on."""
        self.known.learn(source, names)

    def forget(self, source: Source, name: str) -> None:
        """Remove a name and every series that bears it; later observations of it count as `other`."""
        self.known.names[source].discard(name)
        for one in self.series.values():
            for place in _places(one.metric.labels, source):
                for labels in [labels for labels in one.slots if labels[place] == name]:
                    del one.slots[labels]


def _of_kind(name: str, kind: Kind) -> Metric:
    metric = BY_NAME[name]
    if metric.kind is not kind:
        raise TypeError(f"{name} is a {metric.kind}, not a {kind}")
    return metric


def _places(labels: Sequence[Label], source: Source) -> list[int]:
    return [place for place, label in enumerate(labels) if label.source is source]
