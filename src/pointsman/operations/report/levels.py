"""The sections on figures: objectives, time added, both routers side by side, the past by day, security."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pointsman.operations.report import words
from pointsman.operations.report.collect import Evidence
from pointsman.operations.report.model import (
    Bar,
    Bars,
    Block,
    Cell,
    Facts,
    Line,
    Point,
    Report,
    Section,
    Table,
    Text,
    Tone,
    Value,
)

_TONES: Final = {"met": Tone.GOOD, "missed": Tone.BAD, "not_measured": Tone.MUTED}
_DAY_S: Final = 86_400.0
_HOURS_SHOWN: Final = 48

Level = Mapping[str, Any]


def verdict(level: Level) -> Cell:
    """Return a verdict as a cell; met on little of the window is no reason to be glad."""
    tone = _TONES.get(level["verdict"], Tone.PLAIN)
    if not level["is_judged"]:
        return Cell("shown only" if level["observed"] is not None else words.NOT_MEASURED, Tone.MUTED)
    return Cell(words.plain(level["verdict"]), tone)


def figure(level: Level, value: float | None) -> str:
    """Return a figure in the unit of its objective."""
    match level["unit"]:
        case "share":
            return words.share(value)
        case "s":
            return words.duration(value)
        case "bytes":
            return words.megabytes(value)
        case _:
            return words.number(value)


def level_section(found: Evidence) -> Section:
    """Return objectives, times, budgets, and the past."""
    section = Section("Performance and service levels")
    if not found.slo:
        why = found.missing.get("slo", "no answer")
        section.blocks.append(Text(f"{words.NOT_MEASURED.capitalize()}: {why}.", Tone.MUTED))
        return section
    of = found.slo
    section.blocks.append(window(of))
    if of.get("alarm"):
        section.blocks.append(Text(f"Figures of past hours: {of['alarm']}", Tone.BAD))
    section.blocks += [objectives(of["levels"]), times(of["levels"]), budgets(of["levels"])]
    section.blocks += past(of)
    section.blocks.append(apart(of))
    return section


def window(of: Mapping[str, Any]) -> Text:
    """Return over what the figures were taken, and how much of that was measured."""
    return Text(
        f"From {words.instant(of['since'])} to {words.instant(of['at'])}; of this window"
        f" {words.share(of['coverage_share'])} was measured. A verdict needs enough observations and enough coverage."
    )


def objectives(levels: Sequence[Level]) -> Table:
    """Return every objective with its figure and verdict."""
    rows: list[list[Value]] = [
        [
            level["name"],
            level["objective"],
            figure(level, level["observed"]),
            words.number(level["n"]),
            words.number(level["bad"]),
            words.share(level["coverage_share"]),
            verdict(level),
            level["detail"],
        ]
        for level in levels
    ]
    columns = ("objective", "promise", "#observed", "#n", "#broke it", "#coverage", "verdict", "why")
    return Table(columns, rows)


def times(levels: Sequence[Level]) -> Table:
    """Return how long each step takes; means are exact, quantiles are estimates."""
    rows: list[list[Value]] = []
    for level in levels:
        of = level["times"]
        if of is not None:
            figures = [words.duration(of[name]) for name in ("mean_s", "live_mean_s", "p50_s", "p95_s", "p99_s")]
            rows.append([level["name"], words.duration(of["bar_s"]), *figures, words.number(of["n"])])
    columns = ("time of", "#bar (p95)", "#mean", "#mean, last 5 min", "#p50", "#p95", "#p99", "#n")
    caption = "Means are exact; p50, p95 and p99 are interpolated between the bounds of a histogram."
    return Table(columns, rows, words.NOT_MEASURED, caption)


def budgets(levels: Sequence[Level]) -> Table:
    """Return the error budgets and how fast they go."""
    rows: list[list[Value]] = []
    for level in levels:
        of = level["budget"]
        if of is not None:
            left = Cell(words.share(of["left_share"]), _TONES[level["verdict"]])
            allowed = f"{of['allowed']:,.1f}"
            burn = [_burn(level["burn_1h"]), _burn(level["burn_6h"])]
            rows.append([level["name"], allowed, words.number(of["used"]), left, *burn])
    columns = ("error budget of", "#allowed", "#used", "#left", "#burn, 1 h", "#burn, 6 h")
    return Table(columns, rows, f"{words.NOT_MEASURED.capitalize()}.", "A burn of 1 uses up the budget in the window.")


def _burn(value: float | None) -> str:
    return words.NOT_MEASURED if value is None else f"{value:.2f}"


def past(of: Mapping[str, Any]) -> list[Block]:
    """Return the past as charts, and by day as a table."""
    periods = of.get("periods") or []
    if not periods:
        return []
    bar_s = next((level["times"]["bar_s"] for level in of["levels"] if level["name"] == "overhead"), None)
    recent = periods[-_HOURS_SHOWN:]
    return [
        _line("Time the router added, p95 by hour (ms)", recent, "p95_s", bar_s, words.duration),
        _line("Messages delivered, share by hour", recent, "success_share", None, words.share),
        by_period(_days(periods)),
    ]


def _line(title: str, periods: Sequence[Mapping[str, Any]], name: str, bar: float | None, write: Any) -> Line:
    points = [Point(one["start"], one[name]) for one in periods]
    known = [point.value for point in points if point.value is not None]
    texts = (write(max(known)), write(min(known))) if known else ("", "")
    return Line(title, points, bar, texts)


def _days(periods: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return hours added up by day, as far as they can be: shares and times of a day are not those of its hours."""
    days: dict[float, dict[str, Any]] = {}
    for hour in periods:
        start = hour["start"] - hour["start"] % _DAY_S
        into = days.setdefault(start, {"start": start, "measured_share": 0.0, **dict.fromkeys(_SUMMED, 0)})
        into["measured_share"] += hour["measured_share"] / 24.0
        for name in _SUMMED:
            into[name] += hour[name]
    return list(days.values())


_SUMMED: Final = ("messages", "delivered", "errors", "left_out", "refused", "own_faults", "incidents", "legacy")


def by_period(periods: Sequence[Mapping[str, Any]], step: str = "day") -> Table:
    """Return periods as a table."""
    rows: list[list[Value]] = []
    for one in periods:
        counted = [words.number(one[name]) for name in _SUMMED]
        judged = one["delivered"] + one["errors"]
        success = words.share(one["delivered"] / judged if judged else None)
        when = words.day(one["start"]) if step == "day" else words.instant(one["start"])
        rows.append([when, words.share(one["measured_share"]), *counted, success])
    columns = (f"{step} (UTC)", "#measured", *(f"#{words.plain(name)}" for name in _SUMMED), "#success")
    return Table(columns, rows, f"{words.NOT_MEASURED.capitalize()}.")


def apart(of: Mapping[str, Any]) -> Facts:
    """Return what is counted beside the objectives."""
    return Facts([(_APART.get(name, words.plain(name)), words.number(count)) for name, count in of["apart"].items()])


_APART: Final = {
    "refused_as_wrong": "Refused as malformed or harmful (no outage)",
    "refused_by_limits": "Refused by limits, flood guard, budgets (no outage)",
    "refused_under_load": "Refused under load, or without a worker (no outage)",
    "refused_while_draining": "Refused while draining (no outage)",
    "cancelled": "Cancelled by their senders",
    "message_fault": "Failed by their senders' fault",
    "unavailable": "Refused as unavailable (outage)",
    "fault": "Answered 500 by a fault of the router (outage)",
    "router_error": "Ended by a fault of the router (outage)",
    "fell_back": "Answered by the old router in the end",
}


def sides_section(found: Evidence) -> Section:
    """Return this router beside the one that was there before."""
    section = Section("Against the old router")
    legacy, candidate = found.slo.get("legacy") or {}, found.slo.get("candidate") or {}
    if not legacy.get("n") and not candidate.get("n"):
        why = found.missing.get("slo") or "neither router answered a message of a rollout"
        section.blocks.append(Text(f"{words.NOT_MEASURED.capitalize()}: {why}.", Tone.MUTED))
        return section
    rows: list[list[Value]] = [_side("old router", legacy), _side("this router", candidate)]
    columns = ("", "#answers", "#without a failure", "#share", "#mean", "#p50", "#p95")
    caption = "From receipt to the last byte, workers included; both in the window of the service levels."
    section.blocks.append(Table(columns, rows, caption=caption))
    bars = [
        Bar(name, side["p95_s"], words.duration(side["p95_s"]))
        for name, side in (("old router", legacy), ("this router", candidate))
        if side.get("p95_s") is not None
    ]
    section.blocks.append(Bars("Whole time of a message, p95", bars))
    return section


def _side(name: str, of: Mapping[str, Any]) -> list[Value]:
    figures = [words.duration(of.get(key)) for key in ("mean_s", "p50_s", "p95_s")]
    counts = [words.number(of["n"]), words.number(of["ok"])] if of.get("n") else [words.NOT_MEASURED] * 2
    return [name, *counts, words.share(of.get("ok_share")), *figures]


def security_section(found: Evidence) -> Section:
    """Return what happened that must not, and what was kept out."""
    if not found.slo:
        why = found.missing.get("slo", "no answer")
        return Section("Security", [Text(f"{words.NOT_MEASURED.capitalize()}: {why}.", Tone.MUTED)])
    level = next(one for one in found.slo["levels"] if one["name"] == "security")
    measured = level["observed"] is not None
    rows: list[tuple[str, Value]] = [
        (
            words.plain(kind).capitalize(),
            Cell(words.number(count), Tone.BAD if count else _TONES[level["verdict"]])
            if measured
            else words.NOT_MEASURED,
        )
        for kind, count in found.slo["incidents"].items()
    ]
    refused = found.slo["apart"]
    rows.append(("Verdict", verdict(level)))
    rows.append(("Messages refused as malformed or harmful", words.number(refused["refused_as_wrong"])))
    rows.append(("Messages refused by limits, flood guard and budgets", words.number(refused["refused_by_limits"])))
    keys = found.status.get("keys")
    if keys:
        listed = ", ".join(f"{words.plain(name)} {count}" for name, count in keys.items())
        rows.append(("API keys", listed))
    return Section("Security", [Facts(rows)])


def standalone(of: Mapping[str, Any], step: str) -> Report:
    """Return a report on the service levels alone, from an answer of `/api/v1/slo` with the past by `step`."""
    blocks: list[Block] = [window(of)]
    if of["alarm"]:
        blocks.append(Text(f"Figures of past hours: {of['alarm']}", Tone.BAD))
    blocks += [objectives(of["levels"]), times(of["levels"]), budgets(of["levels"])]
    aside: list[Block] = [
        apart(of),
        Facts([(words.plain(kind), words.number(n)) for kind, n in of["incidents"].items()]),
    ]
    sections = [
        Section("Objectives", blocks),
        Section(f"By {step}", [by_period(of["periods"], step)]),
        Section("Counted apart", aside),
    ]
    verdict_words = words.plain(of["verdict"])
    return Report("Service levels", f"{verdict_words.capitalize()}, written {words.instant(of['at'])}", sections)
