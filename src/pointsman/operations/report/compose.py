"""Composes the report: which sections, in which order, what stands at the top, and what is still open.

Decides what is an open point. Each comes from evidence, or from its absence: what nobody measured is open too.
"""

from __future__ import annotations

from typing import Final

from pointsman.operations.report import health, levels, shadow, stages, words
from pointsman.operations.report.collect import Evidence
from pointsman.operations.report.model import Cell, Facts, Report, Section, Table, Text, Tile, Tiles, Tone, Value

_TILES: Final = ("overhead", "success", "availability", "security")
_TONES: Final = {"met": Tone.GOOD, "missed": Tone.BAD, "not_measured": Tone.MUTED}
_PARTS: Final = {
    "rollout": "the rollout",
    "history": "the history of the rollout",
    "shadow": "the shadow comparison",
    "slo": "the service levels",
    "health": "the health of the components",
    "health_history": "the history of health",
}


def compose(found: Evidence, written_at: float) -> Report:
    """Return the report on what was found; `written_at` is Unix seconds."""
    ref = found.rollout.get("ref") or next((one["ref"] for one in reversed(found.history) if one.get("ref")), "")
    title = f"Deployment report: {ref}" if ref else "Deployment report"
    version = found.status.get("version", "of unknown version")
    subtitle = f"Pointsman {version} at {found.url}, written {words.instant(written_at)}"
    points = open_points(found)
    return Report(
        title,
        subtitle,
        [
            _summary(found, points),
            stages.phase_section(found),
            stages.gate_section(found),
            levels.level_section(found),
            levels.sides_section(found),
            shadow.shadow_section(found),
            levels.security_section(found),
            health.health_section(found),
            health.tests_section(found),
            stages.rollback_section(found),
            stages.steps_section(found),
            _open(points),
        ],
    )


def _summary(found: Evidence, points: list[Cell]) -> Section:
    of, counts = found.rollout, found.status.get("counts") or {}
    state = words.plain(of["state"]) if of.get("configured") else "no rollout" if of else words.NOT_MEASURED
    bad = sum(1 for point in points if point.tone is Tone.BAD)
    rows: list[tuple[str, Value]] = [
        ("State", Cell(f"{state}, stage {of['stage']}" if _has_stages(found) else state, _state_tone(found))),
        ("Rollout", of.get("rollout_id") or "none"),
        ("About", of.get("ref") or "not said"),
        ("Share of the keys, target and realised", _shares(found)),
        ("Begun", _begun(found)),
        ("Messages since the start of the process", _counts(counts)),
        ("Open points", Cell(f"{len(points)}, of them {bad} that need somebody", Tone.BAD if bad else Tone.PLAIN)),
    ]
    return Section("Summary", [_tiles(found), Facts(rows)])


def _has_stages(found: Evidence) -> bool:
    of = found.rollout
    return bool(of.get("configured")) and of.get("stage") not in {"", of.get("state")}


def _state_tone(found: Evidence) -> Tone:
    of = found.rollout
    if of.get("locked") or of.get("alarm") or of.get("killed"):
        return Tone.BAD
    return Tone.GOOD if of.get("state") in {"full", "completed"} else Tone.PLAIN


def _shares(found: Evidence) -> str:
    of = found.rollout
    if not of.get("configured"):
        return words.NOT_MEASURED
    return f"{words.share(of['share'])}, {words.share(of['realised_share'])}"


def _begun(found: Evidence) -> str:
    if not found.history:
        return words.NOT_MEASURED
    first = found.history[0]
    lasted = f", {words.duration(found.now - first['at'])} ago" if found.now else ""
    return f"{words.instant(first['at'])} by {first['actor'] or 'nobody named'}{lasted}"


def _counts(counts: dict[str, int]) -> str:
    if not counts:
        return words.NOT_MEASURED
    names = ("admitted", "delivered", "failed", "dead", "expired", "cancelled")
    return ", ".join(f"{counts[name]:,} {name}" for name in names)


def _tiles(found: Evidence) -> Tiles:
    known = {level["name"]: level for level in found.slo.get("levels") or ()}
    made = []
    for name in _TILES:
        level = known.get(name)
        if level is None:
            made.append(Tile(name, words.NOT_MEASURED, "the service levels did not answer", Tone.MUTED))
            continue
        times = level["times"]
        value = f"p95 {words.duration(times['p95_s'])}" if times and times["n"] else None
        observed = value or levels.figure(level, level["observed"])
        coverage = words.share(level["coverage_share"])
        note = f"{words.plain(level['verdict'])}; n {level['n']:,}, coverage {coverage}"
        made.append(Tile(name, observed, note, _TONES[level["verdict"]]))
    return Tiles(made)


def open_points(found: Evidence) -> list[Cell]:
    """Return what is open: BAD where somebody must act, WARN where somebody should look, MUTED what nobody measured."""
    return [*_of_rollout(found), *_of_levels(found), *_of_health(found), *_of_tests(found), *_unmeasured(found)]


def _of_rollout(found: Evidence) -> list[Cell]:
    of, points = found.rollout, []
    if of.get("alarm"):
        points.append(Cell(f"The record of the rollout cannot be used: {of['alarm']}", Tone.BAD))
    if of.get("killed"):
        points.append(Cell(f"A kill switch holds everything at the old router: {of['killed']}", Tone.BAD))
    if of.get("locked"):
        points.append(Cell("It was rolled back, and nobody has acknowledged that (`pointsman rollout ack`).", Tone.BAD))
    if of.get("configured") and of.get("state") not in {"completed", "rolled_back", "disabled"}:
        following = f"; next: {of['next_stage']}" if of.get("next_stage") else ""
        points.append(Cell(f"The rollout is not completed: {words.plain(of['state'])}{following}.", Tone.WARN))
    for gate in of.get("verdicts") or ():
        if gate["verdict"] in {"fail", "hold"}:
            text = f"Gate {words.plain(gate['gate'])}: {gate['detail']}"
            points.append(Cell(text, Tone.BAD if gate["verdict"] == "fail" else Tone.WARN))
    forced = sum(1 for entry in found.history if entry.get("forced"))
    if forced:
        points.append(
            Cell(f"{words.count(forced, 'step was', 'steps were')} forced below the minimum time.", Tone.WARN)
        )
    fallbacks = sum((of.get("fallbacks") or {}).values())
    if fallbacks:
        text = f"{words.count(fallbacks, 'message')} of the candidate had to be answered by the old router."
        points.append(Cell(text, Tone.WARN))
    return points


def _of_levels(found: Evidence) -> list[Cell]:
    points = [
        Cell(f"Objective missed: {level['objective']}; {level['detail']}.", Tone.BAD)
        for level in found.slo.get("levels") or ()
        if level["verdict"] == "missed"
    ]
    if found.slo.get("alarm"):
        points.append(Cell(f"Figures of past hours: {found.slo['alarm']}", Tone.WARN))
    return points


def _of_health(found: Evidence) -> list[Cell]:
    return [
        Cell(
            f"Component {one['component']}: {one['status']}; {one.get('output') or 'no word on why'}",
            Tone.BAD if one["status"] == "fail" else Tone.WARN,
        )
        for one in found.health
        if one["status"] != "pass"
    ]


def _of_tests(found: Evidence) -> list[Cell]:
    if found.tests is None:
        return []
    total = found.tests.total
    bad = total.failed + total.errors
    return [Cell(f"{words.count(bad, 'test')} of {total.tests:,} failed.", Tone.BAD)] if bad else []


def _unmeasured(found: Evidence) -> list[Cell]:
    points = [
        Cell(f"Not measured: {_PARTS[name]}: {why}", Tone.MUTED)
        for name, why in found.missing.items()
        if name in _PARTS
    ]
    points += [
        Cell(f"Not measured: {level['objective']}; {level['detail']}.", Tone.MUTED)
        for level in found.slo.get("levels") or ()
        if level["verdict"] == "not_measured" and (level["is_judged"] or level["name"] == "rollback")
    ]
    if found.tests is None:
        points.append(Cell("Not measured: tests; no results were given.", Tone.MUTED))
    return points


def _open(points: list[Cell]) -> Section:
    if not points:
        return Section("Open points", [Text("None.", Tone.GOOD)])
    rows: list[list[Value]] = [[str(number), point] for number, point in enumerate(points, 1)]
    return Section("Open points", [Table(("#no", "what"), rows)])
