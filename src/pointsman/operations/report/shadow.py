"""The section on the shadow: where the candidate would have decided otherwise than the old router, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pointsman.operations.report import words
from pointsman.operations.report.collect import Evidence
from pointsman.operations.report.model import Bar, Bars, Block, Facts, Section, Table, Text, Tone, Value

_OUTCOMES: Final = ("sampled", "compared", "dropped", "timed_out")
_SAMPLES: Final = 10


def shadow_section(found: Evidence) -> Section:
    """Return counts by outcome and by kind, agreement, kappa, and some differences without their text."""
    section = Section("Shadow comparison")
    counts = dict(found.shadow.get("counts") or found.rollout.get("shadow") or {})
    if not counts.get("sampled"):
        why = found.missing.get("shadow") or found.missing.get("rollout") or "no message was mirrored"
        section.blocks.append(Text(f"{words.NOT_MEASURED.capitalize()}: {why}.", Tone.MUTED))
        return section
    section.blocks.append(Facts([(words.plain(name), words.number(counts.get(name))) for name in _OUTCOMES]))
    kinds = {name: count for name, count in counts.items() if name not in _OUTCOMES}
    bars = [Bar(words.plain(name), count, f"{count:,}", _tone(name, count)) for name, count in kinds.items()]
    section.blocks.append(Bars("Compared messages by kind", bars))
    section.blocks += _agreement(found.shadow.get("agreement") or {})
    section.blocks.append(_samples(found.shadow.get("differences") or []))
    return section


def _tone(kind: str, count: int) -> Tone:
    if not count or kind in {"uncompared", "ignored", "both_error"}:
        return Tone.MUTED
    return Tone.GOOD if kind == "match" else Tone.WARN


def _agreement(of: Mapping[str, Any]) -> list[Block]:
    messages = of.get("messages") or 0
    facts = Facts(
        [
            ("Messages whose class both routers said", words.number(messages)),
            ("Agreement on the class", _interval(of) if messages else words.NOT_MEASURED),
            ("Cohen's kappa (agreement beyond chance; 1 is full)", words.decimal(of.get("kappa"))),
        ]
    )
    rows: list[list[Value]] = [
        [one["class"], words.number(one["messages"]), words.number(one["agreed"]), _interval(one)]
        for one in of.get("classes") or ()
    ]
    if not rows:
        return [facts]
    return [facts, Table(("old router's class", "#messages", "#agreed", "#share (95 % interval)"), rows)]


def _interval(of: Mapping[str, Any]) -> str:
    return f"{words.share(of['share'])} ({words.share(of['low'])} to {words.share(of['high'])})"


def _samples(differences: list[Mapping[str, Any]]) -> Table:
    shown = [one for one in differences if one.get("kind") not in {"match", "uncompared", "ignored"}][:_SAMPLES]
    rows: list[list[Value]] = [
        [
            words.plain(str(one.get("kind", ""))),
            one.get("legacy_class") or "not said",
            one.get("candidate_class") or one.get("reason") or "none",
            one.get("cause") or "none",
            str(one.get("text_hash", "")),
        ]
        for one in shown
    ]
    columns = ("kind", "old router", "candidate", "candidate's cause", "hash of the text")
    return Table(columns, rows, "No difference was kept.", "A sample of differences, the newest first." if rows else "")
