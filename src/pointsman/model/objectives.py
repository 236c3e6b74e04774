"""Service levels as they are shown: objectives and how they are kept. Plain data; judged by `core.slo`.

Shares are 0..1, durations seconds, instants Unix seconds. What was not measured is None, never 0.
"""

from __future__ import annotations

from typing import Final

import msgspec

MET: Final = "met"
MISSED: Final = "missed"
NOT_MEASURED: Final = "not_measured"

VERDICTS: Final = (MET, MISSED, NOT_MEASURED)
"""What may be said of an objective."""


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """How long something took, from a histogram.

    Attributes:
        bar_s: what 95 of 100 must not exceed.
        n: how many were timed.
        mean_s: exact, over the window.
        live_mean_s: the same over the last five minutes.
        p50_s, p95_s, p99_s: interpolated between the bounds of the histogram, so estimates; the verdict is not made
            of them but of the exact count at the bar.
    """

    bar_s: float
    n: int
    mean_s: float | None
    live_mean_s: float | None
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    interpolated: bool = True


class ErrorBudget(msgspec.Struct, frozen=True):
    """How much of what may go wrong has gone wrong.

    Attributes:
        allowed: bad ones that the objective has room for, among as many as were observed.
        used: bad ones.
        left_share: of what is allowed; below 0 where it is overdrawn.
    """

    allowed: float
    used: int
    left_share: float


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One objective and how it is kept.

    Attributes:
        name: stable.
        objective: the promise in words.
        unit: of `observed` and `target`: `share`, `s`, `count` or `bytes`.
        target: the bar; None where nothing is promised here.
        observed: what was measured; None where nothing was.
        verdict: one of `VERDICTS`.
        detail: why the verdict is what it is, one sentence.
        is_judged: it counts in the verdict of the whole; what is only shown does not.
        window_s: over how long it was looked at.
        coverage_share: of the window in which the router ran and measured.
        n: observations in it.
        bad: those that broke the promise.
        budget: None where the objective is no share.
        burn_1h, burn_6h: how fast the budget goes: 1 uses it up in exactly the window; None without data.
        times: of the objectives on time.
    """

    name: str
    objective: str
    unit: str
    target: float | None
    observed: float | None
    verdict: str
    detail: str
    is_judged: bool
    window_s: float
    coverage_share: float
    n: int
    bad: int
    budget: ErrorBudget | None = None
    burn_1h: float | None = None
    burn_6h: float | None = None
    times: Times | None = None


class Side(msgspec.Struct, frozen=True):
    """What one of two routers answered, while a rollout was under way: from receipt to the last byte."""

    n: int
    ok: int
    ok_share: float | None
    mean_s: float | None
    p50_s: float | None
    p95_s: float | None


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """One hour or day of the past.

    Attributes:
        start: its first second (UTC).
        measured_share: of it in which the router ran and measured.
        messages: that ended.
        delivered, errors, left_out: of them; left out are cancelled ones and those whose sender was at fault.
        refused: deliberately; no outage.
        own_faults: requests answered by an error of the router itself.
        within_share: of messages that were handed out, those to which the router added no more than the bar.
        p95_s: of that added time, interpolated.
        classification_mean_s, routing_mean_s: exact.
        incidents: of security.
        legacy, legacy_ok: answers of the old router, and those that were right.
    """

    start: float
    measured_share: float
    messages: int
    delivered: int
    errors: int
    left_out: int
    refused: int
    own_faults: int
    success_share: float | None
    availability_share: float | None
    within_share: float | None
    p95_s: float | None
    classification_mean_s: float | None
    routing_mean_s: float | None
    incidents: int
    legacy: int
    legacy_ok: int


class SloReport(msgspec.Struct, frozen=True, kw_only=True):
    """All objectives at one moment; also the answer of the API.

    Attributes:
        at: now.
        since: first second of the window, at the grain it was measured in.
        window_s: as asked for.
        step_s: that grain, 60 or 3600.
        coverage_share: of the window that was measured.
        verdict: `missed` where one objective is, `met` where all that are judged are, else `not_measured`.
        levels: the objectives.
        apart: counts that are in no objective: deliberate refusals by kind, cancelled messages, ...
        incidents: of security, by kind.
        candidate, legacy: both routers, while a rollout was under way.
        journal: where past hours are kept; empty where nowhere.
        alarm: what is wrong with that, or empty.
        periods: hours or days, oldest first, where they were asked for.
    """

    at: float
    since: float
    window_s: float
    step_s: float
    coverage_share: float
    verdict: str
    levels: list[Level]
    apart: dict[str, int]
    incidents: dict[str, int]
    candidate: Side
    legacy: Side
    journal: str
    alarm: str
    periods: list[Period]
