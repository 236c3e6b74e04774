"""The sections on the rollout itself: its phases, who took which step and why, gates, rollbacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pointsman.operations.report import words
from pointsman.operations.report.collect import Evidence
from pointsman.operations.report.model import Cell, Facts, Section, Step, Steps, Table, Text, Tone, Value

_TONES: Final = {
    "pass": Tone.GOOD,
    "fail": Tone.BAD,
    "hold": Tone.WARN,
    "no_data": Tone.MUTED,
    "rolled_back": Tone.BAD,
    "paused": Tone.WARN,
    "completed": Tone.GOOD,
    "full": Tone.GOOD,
}
BACK: Final = ("rollback", "trip")
"""Events by which everything goes back to the old router."""


class Phase(NamedTuple):
    """A stretch of the rollout between two steps; `until` is None while it lasts."""

    entry: Mapping[str, Any]
    since: float
    until: float | None
    realised: float | None


def phases(found: Evidence) -> list[Phase]:
    """Return the phases, oldest first. What was realised in one is known at its end, or by the status till then."""
    made: list[Phase] = []
    following = [*found.history[1:], None]
    for entry, after in zip(found.history, following, strict=True):
        if after is None:
            made.append(Phase(entry, entry["at"], None, found.rollout.get("realised_share")))
        else:
            made.append(Phase(entry, entry["at"], after["at"], after.get("realised_share")))
    return made


def phase_section(found: Evidence) -> Section:
    """Return the phases with their times, shares, and who began each and why."""
    section = Section("Phases")
    if not found.history:
        why = found.missing.get("history") or found.missing.get("rollout") or "no rollout has begun"
        section.blocks.append(Text(f"{words.NOT_MEASURED.capitalize()}: {why}.", Tone.MUTED))
        return section
    of = phases(found)
    section.blocks.append(_chart(of, found.now))
    rows: list[list[Value]] = []
    for phase in of:
        entry = phase.entry
        lasted = words.duration(phase.until - phase.since) if phase.until is not None else "still lasts"
        rows.append(
            [
                Cell(_stage(entry), _TONES.get(entry["now"], Tone.PLAIN)),
                words.instant(phase.since),
                lasted,
                words.share(entry["share"]),
                words.share(phase.realised),
                entry["actor"] or "nobody named",
                _why(entry),
            ]
        )
    columns = ("stage", "from", "lasted", "#target share", "#realised share", "begun by", "why")
    section.blocks.append(Table(columns, rows))
    return section


def _chart(of: list[Phase], now: float | None) -> Steps:
    last = now if now is not None else of[-1].since
    steps = [
        Step(
            phase.since,
            phase.until if phase.until is not None else max(last, phase.since),
            phase.entry["share"],
            _stage(phase.entry),
            _TONES.get(phase.entry["now"], Tone.PLAIN),
        )
        for phase in of
    ]
    return Steps("Share of the keys that the candidate answers", steps)


def _stage(entry: Mapping[str, Any]) -> str:
    state, stage = words.plain(entry["now"]), entry["stage"]
    return state if stage in {entry["now"], ""} else f"{state} ({stage})" if entry["now"] == "paused" else stage


def _left(entry: Mapping[str, Any], found: Evidence) -> str:
    """Return where a step led from: the stage that the step before it began, or the state where that is not at hand."""
    before = next((one for one in found.history if one["seq"] == entry["seq"] - 1), None)
    return words.plain(entry["was"]) if before is None else _stage(before)


def _why(entry: Mapping[str, Any]) -> str:
    parts = [entry.get("reason") or "no reason given"]
    if entry.get("forced"):
        parts.append("forced below the minimum time")
    return "; ".join(parts)


def steps_section(found: Evidence) -> Section:
    """Return every step as it stands in the record."""
    rows: list[list[Value]] = [
        [
            str(entry["seq"]),
            words.instant(entry["at"]),
            Cell(words.plain(entry["event"]), Tone.BAD if entry["event"] in BACK else Tone.PLAIN),
            f"{_left(entry, found)} to {_stage(entry)}",
            entry["actor"] or "nobody named",
            _why(entry),
            evidence(entry),
        ]
        for entry in found.history
    ]
    columns = ("#no", "at", "step", "from, to", "by", "why", "evidence")
    caption = "Each line of the record holds the hash of the line before it."
    return Section("Steps on record", [Table(columns, rows, "No step is on record.", caption if rows else "")])


def evidence(entry: Mapping[str, Any]) -> str:
    """Return the figures that led to a step."""
    figures = entry.get("evidence") or {}
    return ", ".join(f"{_label(name)} {_figure(name, value)}" for name, value in figures.items()) or "none"


def _label(name: str) -> str:
    """Return the name of a figure without its unit, which stands in the figure."""
    return words.plain(name.removesuffix("_s").removesuffix("_share"))


def _figure(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if name.endswith("_share"):
        return words.share(value)
    return words.duration(value) if name.endswith("_s") else f"{value:,.6g}"


def gate_section(found: Evidence) -> Section:
    """Return the gates of the guard as they stand, with their figures."""
    rows: list[list[Value]] = [
        [
            words.plain(gate["gate"]),
            Cell(words.plain(gate["verdict"]), _TONES.get(gate["verdict"], Tone.PLAIN)),
            words.share(gate["observed_share"]),
            words.share(gate["limit_share"]),
            words.number(gate["messages"]),
            words.number(gate["bad"]),
            words.number(gate["clients"]),
            gate["detail"],
        ]
        for gate in found.rollout.get("verdicts") or ()
    ]
    columns = ("gate", "verdict", "#observed", "#limit", "#messages", "#bad", "#clients", "in words")
    blocks: list[Any] = [Table(columns, rows, f"{words.NOT_MEASURED.capitalize()}: no gate has judged anything.")]
    fallbacks = found.rollout.get("fallbacks") or {}
    listed = ", ".join(f"{words.plain(name)} {count:,}" for name, count in sorted(fallbacks.items()))
    told = "fallbacks" in found.rollout
    text = (listed or "none in this stage") if told else words.NOT_MEASURED
    blocks.append(Facts([("Messages that the old router answered in the end", text)]))
    return Section("Gates", blocks)


def rollback_section(found: Evidence) -> Section:
    """Return every rollback: when, by whom, why, on what evidence; and how long one takes."""
    back = [entry for entry in found.history if entry["event"] in BACK]
    rows: list[list[Value]] = [
        [
            words.instant(entry["at"]),
            Cell(entry["actor"] or "nobody named", Tone.BAD),
            f"from {_left(entry, found)}",
            _why(entry),
            evidence(entry),
        ]
        for entry in back
    ]
    slowest: Mapping[str, Any] = next((one for one in found.slo.get("levels") or () if one["name"] == "rollback"), {})
    empty = "None." if found.history else f"{words.NOT_MEASURED.capitalize()}: no history."
    facts = Facts(
        [
            ("From the order to the old router's first message, the slowest", words.duration(slowest.get("observed"))),
            ("Objective", words.duration(slowest.get("target"))),
        ]
    )
    return Section("Rollbacks", [Table(("at", "by", "from", "why", "evidence"), rows, empty), facts])
