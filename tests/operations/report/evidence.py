"""Evidence of a rollout that was rolled back once and is on its way again, as the API would tell it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from pointsman.core import slo, slo_report
from pointsman.core.slo_book import Book, Instant
from pointsman.core.slo_rings import HOUR_S
from pointsman.core.slo_tally import Layout
from pointsman.model.errors import PointsmanError
from pointsman.model.events import Emit
from pointsman.model.objectives import SloReport
from pointsman.model.outcome import Cause
from pointsman.model.settings import ObjectiveSettings
from pointsman.model.states import Status
from pointsman.testing.make import envelope

__all__ = ["BEGAN", "NOW", "Emit", "answers", "asking"]

BEGAN = 1_772_000_000.0 - 1_772_000_000.0 % HOUR_S
NOW = BEGAN + 30 * HOUR_S

_STEPS = (
    (0.0, "start", "disabled", "shadow", "shadow", 0.0, "alice", "first look", None),
    (3.0, "promote", "shadow", "partial", "partial-25", 0.25, "alice", "agreement 97 %", 0.0),
    (5.0, "trip", "partial", "rolled_back", "", 0.0, "guard", "error share 4.1 %, limit 1.5 %", 0.2504),
    (8.0, "ack", "rolled_back", "disabled", "", 0.0, "bob <bob@example.org>", "a worker had no key; fixed", 0.0),
    (9.0, "start", "disabled", "shadow", "shadow", 0.0, "alice", "again", 0.0),
    (12.0, "promote", "shadow", "partial", "partial-25", 0.25, "alice", "", 0.0),
    (18.0, "promote", "partial", "partial", "partial-50", 0.5, "alice", "all gates pass", 0.2493),
    (26.0, "promote", "partial", "partial", "partial-75", 0.75, "alice", "hurry before the holidays", 0.5012),
)


def history() -> list[dict[str, Any]]:
    """Return the steps, newest first."""
    entries = []
    for seq, (hours, event, was, now, stage, share, actor, reason, realised) in enumerate(_STEPS, 1):
        entries.append(
            {
                "seq": seq,
                "at": BEGAN + hours * HOUR_S,
                "rollout_id": "r-1",
                "event": event,
                "was": was,
                "now": now,
                "stage": stage,
                "share": share,
                "actor": actor,
                "reason": reason,
                "ref": "PR #234",
                "forced": seq == 8,
                "evidence": {"error_share": 0.041, "messages": 1000, "window_s": 61.5} if event == "trip" else {},
                "realised_share": realised,
                "previous": "",
            }
        )
    return entries[::-1]


def status() -> dict[str, Any]:
    """Return how the rollout stands."""
    gate = {"messages": 1000, "clients": 41, "limit_share": 0.015}
    return {
        "configured": True,
        "state": "partial",
        "stage": "partial-75",
        "share": 0.75,
        "shadow_share": 0.0,
        "realised_share": 0.7481,
        "messages": {"candidate": 7481, "legacy": 2519},
        "since": BEGAN + 26 * HOUR_S,
        "stage_min_s": 3600.0,
        "locked": False,
        "killed": "",
        "alarm": "",
        "rollout_id": "r-1",
        "ref": "PR #234",
        "verdicts": [
            {**gate, "gate": "error", "verdict": "pass", "observed_share": 0.002, "bad": 2, "detail": "2 of 1,000 bad"},
            {
                **gate,
                "gate": "slow",
                "verdict": "hold",
                "observed_share": 0.06,
                "limit_share": 0.05,
                "bad": 60,
                "detail": "60 of 1,000 slow, all of one client",
            },
        ],
        "fallbacks": {"no_worker": 3},
        "shadow": {"sampled": 1000, "compared": 990, "dropped": 8, "timed_out": 2, "match": 960, "class_mismatch": 30},
        "allowed": ["promote", "pause", "rollback"],
        "next_stage": "full",
        "history_head": history()[0],
    }


def objectives() -> SloReport:
    """Return service levels as 30 hours of such a rollout would leave them."""
    book = Book(Layout((0.045, 0.050)), 30 * 86_400.0, 900.0)
    book.begin(Instant(0.0, BEGAN))
    of = envelope()
    of.attempt = 1
    turn = itertools.cycle(range(200))
    for hour in range(30):
        for minute in range(60):
            mono = hour * HOUR_S + minute * 60.0
            book.turn(Instant(mono, BEGAN + mono))
            if minute % 15 == 0:
                book.checked("engine", mono)
            for _ in range(3):
                at = next(turn)
                of.classify_s, of.lane = 0.0004 + at * 1e-6, "candidate" if hour >= 12 and at % 2 else ""
                if at == 199 and hour == 4:
                    book.ended(of, Status.DEAD, Cause.ATTEMPTS_USED_UP, 0.003, 1.0)
                book.ended(of, Status.DELIVERED, None, 0.002 + at * 1e-4 * (1 + hour % 5), 0.2 + at * 1e-3)
                book.legacy_answered(Instant(mono, BEGAN + mono), 0.25 + at * 1e-3, ok=at != 7)
            if hour == 5 and minute == 0:
                book.ordered_back(mono)
            if hour == 5 and minute == 1:
                book.legacy_answered(Instant(mono, BEGAN + mono), 57.5, ok=True)
    book.turn(Instant(30 * HOUR_S, NOW))
    whole = book.rings.sum(30 * HOUR_S, NOW)
    short = book.rings.sum(HOUR_S, NOW)
    windows = slo.Windows(whole, short, book.rings.sum(6 * HOUR_S, NOW), short, 30 * HOUR_S)
    beside = slo.Beside([took_s for _, took_s in book.rollbacks], 900.0, 61_000_000)
    levels = slo.levels(ObjectiveSettings(), windows, beside)
    return SloReport(
        at=NOW,
        since=whole.since,
        window_s=30 * HOUR_S,
        step_s=HOUR_S,
        coverage_share=whole.coverage_share,
        verdict=slo.overall(levels),
        levels=levels,
        apart=slo_report.apart(whole.tally),
        incidents=slo_report.incidents(whole.tally),
        candidate=slo_report.candidate(whole.tally),
        legacy=slo_report.legacy(whole.tally),
        journal="var/slo.jsonl",
        alarm="",
        periods=[slo_report.period(one, 0.045) for one in book.rings.hours.places(whole.since, HOUR_S, NOW)],
    )


def shadow() -> dict[str, Any]:
    """Return what the shadow found."""
    classes = [
        {"class": "strategic", "messages": 300, "agreed": 280, "share": 0.933, "low": 0.899, "high": 0.956},
        {"class": "tactical", "messages": 690, "agreed": 680, "share": 0.986, "low": 0.973, "high": 0.992},
    ]
    sample = {"kind": "class_mismatch", "legacy_class": "strategic", "candidate_class": "tactical", "cause": "rule"}
    return {
        "counts": status()["shadow"],
        "agreement": {
            "messages": 990,
            "agreed": 960,
            "share": 0.97,
            "low": 0.957,
            "high": 0.979,
            "kappa": 0.9283,
            "matrix": {},
            "classes": classes,
        },
        "differences": [{**sample, "text_hash": "00ff00ff00ff00ff"}],
    }


def health() -> dict[str, Any]:
    """Return how components are."""
    row = {"componentType": "engine", "time": NOW - 60.0, "output": ""}
    return {
        "status": "warn",
        "checks": {
            "engine": [{**row, "component": "engine", "status": "pass"}],
            "disk": [{**row, "component": "disk", "status": "warn", "output": "300 MB left | clean <var>"}],
        },
    }


def marks() -> dict[str, Any]:
    """Return past checks."""
    mark = {"component": "engine", "took_s": 0.01, "output": ""}
    past = [{**mark, "at_wall": NOW - 900.0 * at, "status": "pass"} for at in range(20)]
    return {"checks": [*past, {**mark, "at_wall": BEGAN, "status": "fail", "output": "read back something else"}]}


def answers() -> dict[str, Any]:
    """Return every answer by path, as JSON would hold it."""
    import msgspec

    counts = {"admitted": 90, "delivered": 88, "failed": 0, "dead": 2, "expired": 0, "cancelled": 0}
    return {
        "/api/v1/status": {"version": "1.2.3", "counts": counts, "keys": {"usable": 3, "revoked": 1}},
        "/api/v1/rollout": msgspec.to_builtins(status()),
        "/api/v1/rollout/history": {"entries": history(), "before": None},
        "/api/v1/rollout/differences": shadow(),
        "/api/v1/slo": msgspec.to_builtins(objectives()),
        "/api/v1/health": health(),
        "/api/v1/health/history": marks(),
    }


class Absent(PointsmanError):
    """What the client raises where a part answers 404."""

    code = "not_found"


def asking(known: Mapping[str, Any]) -> Any:
    """Return what asks these answers; every other path is a 404."""

    def get(path: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
        if path not in known:
            raise Absent("not_found: nothing is here")
        return known[path]

    return get
