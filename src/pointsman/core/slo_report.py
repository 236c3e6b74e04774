"""What is shown beside the objectives: both routers of a rollout, what is in no objective, and the past by hour or day.

Decides nothing about verdicts; that is `core.slo`'s.
"""

from __future__ import annotations

from pointsman.core.slo_rings import Stretch
from pointsman.core.slo_shares import ERRORS, LEFT_OUT, OWN, answers, ends
from pointsman.core.slo_tally import (
    CANDIDATE,
    CLASSIFICATION,
    INCIDENT_NAMES,
    LEGACY,
    OVERHEAD,
    REFUSED,
    ROUTING,
    Tally,
)
from pointsman.model.objectives import Period, Side


def candidate(tally: Tally) -> Side:
    """Return what this router answered while a rollout was under way.

    Not ok: messages that failed by our doing or a worker's, died or expired, and refusals by our own fault, which have
    no time. Cancelled messages are left out.
    """
    return _side(tally, CANDIDATE, tally.of("candidate_ok"), tally.of("candidate_refused"))


def legacy(tally: Tally) -> Side:
    """Return what the old router answered; not ok are its own 5xx, and silence."""
    return _side(tally, LEGACY, tally.of("legacy_ok"), 0)


def _side(tally: Tally, histogram: int, ok: int, untimed: int) -> Side:
    n = tally.timed(histogram) + untimed
    share = ok / n if n else None
    mean_s = tally.mean_s(histogram)
    return Side(n, ok, share, mean_s, tally.quantile_s(histogram, 0.50), tally.quantile_s(histogram, 0.95))


def apart(tally: Tally) -> dict[str, int]:
    """Return counts that stand beside the objectives: refusals on purpose, messages left out, own errors by kind."""
    return {name: tally.of(name) for name in (*REFUSED, *LEFT_OUT, *OWN, "fell_back")}


def incidents(tally: Tally) -> dict[str, int]:
    """Return security incidents by kind."""
    return {name: tally.of(name) for name in INCIDENT_NAMES}


def period(stretch: Stretch, bar_s: float) -> Period:
    """Return an hour or a day in figures; `bar_s` is that of the overhead."""
    tally = stretch.tally
    ended, answered, timed = ends(tally), answers(tally), tally.timed(OVERHEAD)
    return Period(
        start=stretch.since,
        measured_share=stretch.coverage_share,
        messages=tally.messages,
        delivered=tally.of("delivered"),
        errors=tally.of(*ERRORS),
        left_out=tally.of(*LEFT_OUT),
        refused=tally.of(*REFUSED),
        own_faults=tally.of(*OWN),
        success_share=1.0 - ended.bad / ended.n if ended.n else None,
        availability_share=1.0 - answered.bad / answered.n if answered.n else None,
        within_share=1.0 - tally.above(OVERHEAD, bar_s) / timed if timed else None,
        p95_s=tally.quantile_s(OVERHEAD, 0.95),
        classification_mean_s=tally.mean_s(CLASSIFICATION),
        routing_mean_s=tally.mean_s(ROUTING),
        incidents=tally.of(*INCIDENT_NAMES),
        legacy=tally.timed(LEGACY),
        legacy_ok=tally.of("legacy_ok"),
    )
