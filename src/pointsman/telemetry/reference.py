"""The reference page of all metrics, in Markdown, from the table itself."""

from __future__ import annotations

from typing import Final

from pointsman.telemetry.metric import MOST_SAMPLES, Kind, Metric
from pointsman.telemetry.names import METRICS

_INTRODUCTION: Final = f"""\
# Metrics

`GET /metrics` answers in the Prometheus text format, or in OpenMetrics 1.0 where the `Accept` header asks for
it. All times are in seconds.

**Labels are bounded.** Their values come from closed sets, or from the pools, classes and workers that the
settings and the fleet know; never from a message. What is not known counts as `other`, what there is nothing to
name for as `none`. Each metric has room for so many label sets, and all of them together for {MOST_SAMPLES:,}
lines, whatever happens; what finds no room counts as `other` and in `pointsman_dropped_series_total`.

**Series begin at 0** when the router starts, so that `increase()` sees the first event; those of a worker begin
with its first event, and end 15 minutes after it left.

**Overhead** is admission, the wait for the dispatcher where a worker was free, and of each attempt what it took
less what it spent in the worker. The worker's own time, the wait for a free worker and back-off between
attempts are not in it. Messages that were never handed out are not counted.

**Counts add up.** At rest `pointsman_messages_admitted_total` equals the sum of
`pointsman_messages_ended_total` and `pointsman_messages_waiting`; in between, the difference is in flight.
"""


def reference() -> str:
    """Return the page."""
    lines = [_INTRODUCTION, "| metric | kind | labels | meaning |", "|---|---|---|---|"]
    lines += [f"| `{one.name}` | {one.kind} | {_labels(one)} | {one.help} |" for one in METRICS]
    lines += ["", "## Values of labels", ""]
    lines += [f"- `{name}`: {', '.join(f'`{value}`' for value in values)}" for name, values in _closed().items()]
    lines += ["", "## Buckets", ""]
    lines += [
        f"- `{one.name}`: {', '.join(f'{bound:g}' for bound in one.buckets)}, +Inf"
        for one in METRICS
        if one.kind is Kind.HISTOGRAM
    ]
    return "\n".join([*lines, ""])


def _labels(metric: Metric) -> str:
    return ", ".join(f"`{label.name}`" for label in metric.labels) or "-"


def _closed() -> dict[str, tuple[str, ...]]:
    """Return the closed sets; a label whose values differ from metric to metric is listed for each."""
    sets: dict[str, dict[tuple[str, ...], list[str]]] = {}
    for metric in METRICS:
        for label in metric.labels:
            if label.values:
                sets.setdefault(label.name, {}).setdefault(label.values, []).append(metric.name)
    return {
        _title(name, users, alone=len(of) == 1): values for name, of in sets.items() for values, users in of.items()
    }


def _title(name: str, users: list[str], *, alone: bool) -> str:
    return name if alone else f"{name}` of `{'`, `'.join(users)}"
