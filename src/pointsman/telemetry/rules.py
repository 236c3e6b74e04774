"""Recording rules: the share of bad events of each service level, over each window that an alert looks at.

An indicator is a ratio of two counters, so that it holds over restarts and over any number of routers. What a service
level means stands in `core.slo`; here it is said in PromQL:

- errors: messages that ended dead or expired, of those that ended but by their sender's doing (`cancelled`, and
  `failed`, which is the worker's word that the message itself is wrong);
- overhead: messages to which the router added more than the bar, counted exactly as the bar is a bucket;
- availability: messages refused by the router's own fault, and requests that met a bug of it; deliberate refusals are
  answers.

Source: Google's SRE workbook, chapter 5 ("Alerting on SLOs"); the names follow Prometheus, level:metric:operation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from pointsman.model.settings_operations import ObjectiveSettings
from pointsman.telemetry.names import BY_NAME


class Burn(msgspec.Struct, frozen=True):
    """One speed at which an error budget may be used up: seen over a long window and, still, over a short one.

    Attributes:
        long, short: windows, as Prometheus writes durations.
        factor: how many times faster than the objective allows.
    """

    long: str
    short: str
    factor: float


class Windows(msgspec.Struct, frozen=True):
    """Speeds that wake somebody, and speeds that can wait until morning.

    Attributes:
        page, ticket: speeds, the fastest first.
        min_events: events in the first long window of each below which nobody is called: 3 failures of 5 messages at
            night are no incident.
        incident: for how long a security incident calls somebody.
    """

    page: tuple[Burn, ...] = (Burn("1h", "5m", 14.4), Burn("6h", "30m", 6.0))
    ticket: tuple[Burn, ...] = (Burn("1d", "2h", 3.0), Burn("3d", "6h", 1.0))
    min_events: int = 100
    incident: str = "1h"

    def all(self) -> list[str]:
        """Return every window once."""
        return list(dict.fromkeys(window for burn in (*self.page, *self.ticket) for window in (burn.short, burn.long)))


class Indicator(msgspec.Struct, frozen=True):
    """A service level in PromQL.

    Attributes:
        name: `errors`, `overhead` or `availability`.
        bad, all: expressions with `WINDOW` in the place of a window.
        budget_share: that may be bad, 0..1.
        fastest: largest burn factor that makes sense; 1 / budget is the fastest that can be.
    """

    name: str
    bad: str
    all: str
    budget_share: float
    fastest: float = 14.4


_ENDED: Final = "pointsman_messages_ended_total"
_REFUSED: Final = "pointsman_messages_refused_total"
_ADMITTED: Final = "pointsman_messages_admitted_total"
_FAULTS: Final = "pointsman_request_faults_total"
_OVERHEAD: Final = "pointsman_overhead_seconds"


def indicators(objectives: ObjectiveSettings) -> tuple[Indicator, ...]:
    """Return the service levels as these objectives promise them.

    Raises:
        ValueError: the bar of the overhead is no bound of its histogram.
    """
    bar_s = objectives.overhead_p95_s
    if bar_s not in BY_NAME[_OVERHEAD].buckets:
        raise ValueError(f"objectives.overhead_p95_s: {bar_s:g} is no bucket of {_OVERHEAD}")
    slow = f'sum by (job) (rate({_OVERHEAD}_bucket{{le="{bar_s:g}"}}[WINDOW]))'
    faults = f"sum by (job) (rate({_FAULTS}[WINDOW]))"
    handed_out = f"sum by (job) (rate({_OVERHEAD}_count[WINDOW]))"
    return (
        Indicator(
            "errors",
            f'sum by (job) (rate({_ENDED}{{status=~"dead|expired"}}[WINDOW]))',
            f'sum by (job) (rate({_ENDED}{{status=~"delivered|dead|expired"}}[WINDOW]))',
            objectives.error_share_max,
        ),
        Indicator("overhead", f"({handed_out} - {slow})", handed_out, 0.05, fastest=8.0),
        Indicator(
            "availability",
            f'(sum by (job) (rate({_REFUSED}{{reason="unavailable"}}[WINDOW])) + {faults})',
            f"(sum by (job) (rate({_ADMITTED}[WINDOW])) + sum by (job) (rate({_REFUSED}[WINDOW])) + {faults})",
            round(1.0 - objectives.availability_share, 9),
        ),
    )


def share_of(window: str) -> str:
    """Return the name of the recorded share of bad events over a window."""
    return f"pointsman:slo_bad_share:rate{window}"


def events_in(window: str) -> str:
    """Return the name of the recorded number of events within a window."""
    return f"pointsman:slo_events:increase{window}"


def recordings(of: Iterable[Indicator], windows: Windows) -> list[dict[str, Any]]:
    """Return the recording rules, as Prometheus reads them."""
    made: list[dict[str, Any]] = []
    counted = dict.fromkeys((windows.page[0].long, windows.ticket[0].long))
    for one in of:
        for window in windows.all():
            bad, every = one.bad.replace("WINDOW", window), one.all.replace("WINDOW", window)
            made.append({"record": share_of(window), "expr": f"{bad} / {every}", "labels": {"slo": one.name}})
        for window in counted:
            every = one.all.replace("rate(", "increase(").replace("WINDOW", window)
            made.append({"record": events_in(window), "expr": every, "labels": {"slo": one.name}})
    return made


def burning(one: Indicator, speeds: Iterable[Burn], min_events: int) -> str:
    """Return an expression that holds while the budget of an indicator burns at one of these speeds."""
    speeds = tuple(speeds)
    slo = f'{{slo="{one.name}"}}'
    each = []
    for speed in speeds:
        factor = min(speed.factor, one.fastest if speed is speeds[0] else one.fastest / 2)
        bound = f"{round(factor * one.budget_share, 9):g}"
        each.append(f"({share_of(speed.short)}{slo} > {bound} and {share_of(speed.long)}{slo} > {bound})")
    return f"({' or '.join(each)}) and {events_in(speeds[0].long)}{slo} >= {min_events}"
