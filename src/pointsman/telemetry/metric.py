"""What a metric is: its name, kind, meaning, labels and buckets, and how many label sets it may have.

The table of all of them stands in `names`; how they are counted, in `registry`.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Final

import msgspec

NONE: Final = "none"
"""Label value where there is nothing to name: refused before it had a class, no worker reached."""

OTHER: Final = "other"
"""Label value for everything that is not known, or for which a metric has no room any more."""

MOST_SAMPLES: Final = 5000
"""Lines of one exposition at most, whatever happens: the sum over the table, which a test adds up."""

DEFAULT_MAX_SERIES: Final = 100
WORKER_MAX_SERIES: Final = 220
"""Where a worker is named: 200 workers, and some that left lately."""

WORKER_RESULT_MAX_SERIES: Final = 1000
"""Where a worker and a result are named: 200 workers with five results each."""


class Kind(StrEnum):
    """What a metric is; `info` is a gauge that is always 1 and says something in its labels."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


class Source(StrEnum):
    """Who else than a closed set knows a label's values."""

    POOL = "pool"
    WORKER = "worker"
    CLASS = "class"
    BUDGET = "budget"
    QUOTA = "quota"
    CODE = "code"


class Label(msgspec.Struct, frozen=True):
    """One label: its name, and either the closed set of its values or their source.

    `may_lack` marks a label whose value is `none` as a matter of course.
    """

    name: str
    values: tuple[str, ...] = ()
    source: Source | None = None
    may_lack: bool = False


class Metric(msgspec.Struct, frozen=True):
    """One metric.

    Attributes:
        help: one line for people.
        buckets: upper bounds of a histogram, rising, without the last one, which is infinite.
        max_series: label sets it may have; what comes later is counted as `other`.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()
    max_series: int = DEFAULT_MAX_SERIES

    @property
    def most_samples(self) -> int:
        """Lines it may have in an exposition at most, those of `other` included."""
        closed = math.prod(len(label.values) + 1 for label in self.labels if label.source is None)
        is_open = any(label.source for label in self.labels)
        return (self.max_series + closed if is_open else closed) * (len(self.buckets) + 3 if self.buckets else 1)


def counter(name: str, help_: str, *labels: Label, max_series: int = DEFAULT_MAX_SERIES) -> Metric:
    """Return a number that only grows."""
    return Metric(name, Kind.COUNTER, help_, labels, max_series=max_series)


def gauge(name: str, help_: str, *labels: Label, max_series: int = DEFAULT_MAX_SERIES) -> Metric:
    """Return a number as it is at the moment."""
    return Metric(name, Kind.GAUGE, help_, labels, max_series=max_series)


def histogram(
    name: str, help_: str, buckets: tuple[float, ...], *labels: Label, max_series: int = DEFAULT_MAX_SERIES
) -> Metric:
    """Return durations, counted by bucket."""
    return Metric(name, Kind.HISTOGRAM, help_, labels, buckets, max_series)
