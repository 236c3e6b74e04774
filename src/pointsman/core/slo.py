"""The objectives of the product page, judged by what was counted: met, missed, or not measured.

Decides what each objective means, how large its error budget is, and when there is enough to say that it is met. What
is counted stands in `core.slo_tally`, over which time in `core.slo_rings`.

**Enough.** Of a promise that one of so many may break, so many must have been seen before it counts as met: 21 messages
for a p95, 67 for 98.5 %, 1,001 requests for 99.9 %. It is missed earlier, as soon as even that many could no longer
keep it. And at least `COVERAGE_MIN_SHARE` of the window must have been measured: two good hours are no good month.

**A p95 below a bar** is judged as "at least 95 of 100 do not exceed it", by the exact count at the bar; the p95 that is
shown beside it is interpolated.

Sources: Google's SRE workbook, chapter 5, for error budgets and burn rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import Any, Final, NamedTuple

from pointsman.core.slo_rings import Stretch
from pointsman.core.slo_shares import Seen, Share, percent, shares
from pointsman.core.slo_tally import INCIDENT_NAMES
from pointsman.model.objectives import MET, MISSED, NOT_MEASURED, ErrorBudget, Level, Times
from pointsman.model.settings_operations import ObjectiveSettings

COVERAGE_MIN_SHARE: Final = 0.05
"""Share of the window that must have been measured before an objective counts as met: a day and a half of 30 days."""

MEMORY_BYTES: Final = 20_000_000
"""What 1,000 queued messages, 50 workers and 1,000 clients may take above the idle process."""


class Windows(NamedTuple):
    """The windows that objectives are judged by: the whole one, the last 1 h and 6 h, and the last minutes."""

    whole: Stretch
    hour: Stretch
    six_hours: Stretch
    live: Stretch
    window_s: float


class Beside(NamedTuple):
    """What is no count of messages.

    Attributes:
        rollbacks_s: how long each rollback of the window took.
        check_s: time between two deep checks of a component.
        resident_bytes: memory now; None where the system does not say.
    """

    rollbacks_s: Sequence[float]
    check_s: float
    resident_bytes: int | None


def levels(settings: ObjectiveSettings, windows: Windows, beside: Beside) -> list[Level]:
    """Judge every objective."""
    return [
        *(share_level(of, windows) for of in shares(settings)),
        security_level(windows),
        rollback_level(beside.rollbacks_s, settings.rollback_s, windows),
        health_level(windows, beside.check_s),
        memory_level(beside.resident_bytes, windows),
    ]


def overall(found: Sequence[Level]) -> str:
    """Return the verdict of the whole: missed where one is, met where all are that are judged."""
    judged = {level.verdict for level in found if level.is_judged}
    if MISSED in judged:
        return MISSED
    return MET if judged == {MET} else NOT_MEASURED


def needed(allowed_share: float) -> int:
    """Return how many must have been seen before an objective counts as met."""
    return floor(1.0 / allowed_share) + 1 if allowed_share > 0.0 else 1


def judge(seen: Seen, allowed_share: float, coverage_share: float, *, is_strict: bool) -> tuple[str, str]:
    """Return the verdict on a share and why.

    Args:
        seen: observations and bad ones among them.
        allowed_share: that may be bad, 0..1.
        coverage_share: of the window that was measured, 0..1.
        is_strict: exactly `allowed_share` is too much.
    """
    if not seen.n:
        return NOT_MEASURED, "nothing was observed"
    least = needed(allowed_share)
    room = allowed_share * max(seen.n, least)
    if seen.bad and (seen.bad > room or (is_strict and seen.bad == room)):
        return MISSED, f"{seen.bad:,} of {seen.n:,} broke it"
    if seen.n < least:
        return NOT_MEASURED, f"{seen.n:,} of the {least:,} observations it takes"
    return _covered(coverage_share, f"{seen.bad:,} of {seen.n:,} broke it")


def _covered(coverage_share: float, detail: str) -> tuple[str, str]:
    if coverage_share < COVERAGE_MIN_SHARE:
        return NOT_MEASURED, f"only {percent(coverage_share)} of the window was measured; ask for a shorter one"
    return MET, detail


def share_level(of: Share, windows: Windows) -> Level:
    """Judge an objective on a share."""
    whole = windows.whole
    seen = of.look(whole.tally)
    verdict, detail = judge(seen, of.allowed_share, whole.coverage_share, is_strict=of.is_strict)
    return _level(
        of.name,
        of.objective,
        "share",
        of.target,
        windows,
        of.observed(seen) if seen.n else None,
        seen,
        verdict,
        detail,
        budget=budget(seen, of.allowed_share),
        burn_1h=burn(of.look(windows.hour.tally), of.allowed_share),
        burn_6h=burn(of.look(windows.six_hours.tally), of.allowed_share),
        times=None if of.histogram is None else times(windows, of.histogram, of.bar_s),
    )


def budget(seen: Seen, allowed_share: float) -> ErrorBudget | None:
    """Return the error budget; None where nothing was seen, or nothing may go wrong."""
    allowed = allowed_share * seen.n
    return ErrorBudget(allowed, seen.bad, 1.0 - seen.bad / allowed) if allowed > 0.0 else None


def burn(seen: Seen, allowed_share: float) -> float | None:
    """Return how fast the budget goes: 1 uses up exactly all of it, whatever the window; None without data."""
    return seen.bad / seen.n / allowed_share if seen.n and allowed_share > 0.0 else None


def times(windows: Windows, histogram: int, bar_s: float) -> Times:
    """Return how long something took."""
    tally, live = windows.whole.tally, windows.live.tally
    return Times(
        bar_s=bar_s,
        n=tally.timed(histogram),
        mean_s=tally.mean_s(histogram),
        live_mean_s=live.mean_s(histogram),
        p50_s=tally.quantile_s(histogram, 0.50),
        p95_s=tally.quantile_s(histogram, 0.95),
        p99_s=tally.quantile_s(histogram, 0.99),
    )


def security_level(windows: Windows) -> Level:
    """Judge that nothing happened that must not; met only where there was something that it could have happened to."""
    whole = windows.whole
    bad, messages = whole.tally.of(*INCIDENT_NAMES), whole.tally.messages
    seen = Seen(max(messages, bad), bad)
    verdict, detail = judge(seen, 0.0, whole.coverage_share, is_strict=True)
    if verdict == MET:
        detail = f"none in {messages:,} messages"
    observed = float(bad) if seen.n else None
    return _level("security", "no security incidents", "count", 0.0, windows, observed, seen, verdict, detail)


def health_level(windows: Windows, check_s: float) -> Level:
    """Judge that every component was looked at often enough; an observation is a minute."""
    whole = windows.whole
    bad = whole.tally.of("health_stale")
    seen = Seen(whole.tally.of("health_fresh") + bad, bad)
    verdict, detail = judge(seen, 0.0, whole.coverage_share, is_strict=True)
    if seen.n:
        detail = f"{detail} (minutes in which the last check of a component was too old)"
    objective = f"every component is checked every {check_s / 60.0:g} min"
    observed = 1.0 - bad / seen.n if seen.n else None
    return _level("health", objective, "share", 1.0, windows, observed, seen, verdict, detail)


def rollback_level(took_s: Sequence[float], bar_s: float, windows: Windows) -> Level:
    """Judge the slowest rollback of the window; without one there is nothing to judge."""
    objective = f"from the order to roll back to the old router's first message: at most {bar_s:g} s"
    seen = Seen(len(took_s), sum(1 for one in took_s if one > bar_s))
    verdict, detail = NOT_MEASURED, "there was no rollback after which the old router answered a message"
    if took_s:
        verdict = MISSED if seen.bad else MET
        detail = f"the slowest of {seen.n:,}; the wait for a message to come is in it"
    slowest_s = max(took_s, default=None)
    return _level("rollback", objective, "s", bar_s, windows, slowest_s, seen, verdict, detail, is_judged=bool(took_s))


def memory_level(resident_bytes: int | None, windows: Windows) -> Level:
    """Show memory. Not judged: the promise is for a stated load, above an idle process, which nobody knows here."""
    objective = f"{MEMORY_BYTES // 1_000_000} MB above idle for 1,000 messages, 50 workers, 1,000 clients"
    detail = "resident now; shown and not judged, as the promise is for that load"
    observed = None if resident_bytes is None else float(resident_bytes)
    seen = Seen(int(resident_bytes is not None), 0)
    return _level("memory", objective, "bytes", None, windows, observed, seen, NOT_MEASURED, detail, is_judged=False)


def _level(
    name: str,
    objective: str,
    unit: str,
    target: float | None,
    windows: Windows,
    observed: float | None,
    seen: Seen,
    verdict: str,
    detail: str,
    *,
    is_judged: bool = True,
    **more: Any,
) -> Level:
    return Level(
        name=name,
        objective=objective,
        unit=unit,
        target=target,
        observed=observed,
        verdict=verdict,
        detail=detail,
        is_judged=is_judged,
        window_s=windows.window_s,
        coverage_share=windows.whole.coverage_share,
        n=seen.n,
        bad=seen.bad,
        **more,
    )
