"""The report of a training: what the model can do, beside what it must beat, in pictures and tables.

Composes; what a page or a document looks like is decided in `operations.report`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pointsman.operations.learning import pictures
from pointsman.operations.learning.course import Course
from pointsman.operations.report import html, markdown, words
from pointsman.operations.report.model import (
    Bar,
    Bars,
    Block,
    Cell,
    Facts,
    Report,
    Section,
    Table,
    Text,
    Tile,
    Tiles,
    Tone,
    Value,
)
from pointsman.training import metrics

MOST_CLASSES: Final = 60
LONGEST_TEXT: Final = 240
"""Characters of a message that are shown."""

GOOD_ECE: Final = 0.05
"""Calibration error up to which confidence can be taken at its word."""

_OUTCOME: Final = "outcome"


def write(course: Course, path: Path, model_file: str = "MODEL.json") -> None:
    """Write the report of a training: as a page where the name ends in .html or .htm, else as Markdown.

    Args:
        course: what came of it.
        path: of the report.
        model_file: where the model was written, for the commands that use it.
    """
    writer = html if path.suffix.lower() in {".html", ".htm"} else markdown
    path.write_text(writer.write(compose(course, model_file)), "utf-8")


def compose(course: Course, model_file: str = "MODEL.json") -> Report:
    """Return the report of a training."""
    stored, data = course.stored, course.data
    by = f"{data['validation_rows']:,} validation rows" if data["validation_rows"] else "five folds of its own rows"
    subtitle = (
        f"{words.count(data['rows'], 'row')}, {words.count(len(course.classes), 'class', 'classes')}, judged by {by};"
        f" trained {stored.made} by Pointsman {stored.made_by}"
    )
    sections = [
        Section("At a glance", _glance(course)),
        Section("Beside the baselines", _beside(course)),
        Section("Can its confidence be believed?", [pictures.reliability(course), pictures.coverage(course)]),
        Section("Would more data help?", pictures.learning(course)),
    ]
    if stored.target == _OUTCOME:
        sections.insert(2, Section("What it recovers", [pictures.recovery(course)]))
    else:
        sections += [
            Section("Classes", [_classes(course)]),
            Section("What it takes for what", [pictures.confusion(course)]),
        ]
    sections += [
        Section("Its surest mistakes", [_worst(course)]),
        Section("The data and the model", [_facts(course)]),
        Section("How to use it", _usage(course, model_file)),
    ]
    return Report(f"Classifier {stored.name}", subtitle, sections)


def _glance(course: Course) -> list[Block]:
    tiles = [
        Tile(
            "against the baselines",
            "better" if course.beats else "not better",
            "than each of them" if course.beats else "do not use it",
            Tone.GOOD if course.beats else Tone.BAD,
        ),
        *(_outcome_tiles(course) if course.stored.target == _OUTCOME else _label_tiles(course)),
    ]
    ece = course.figures["ece"]
    tone = Tone.PLAIN if ece is None else Tone.GOOD if ece <= GOOD_ECE else Tone.WARN
    tiles.append(Tile("calibration error", words.decimal(ece), "how far confidence is from accuracy", tone))
    warnings: list[Block] = [Text(f"{one[0].upper()}{one[1:]}.", Tone.WARN) for one in course.warnings]
    return [Tiles(tiles), *(warnings or [Text("Nothing about the data looks doubtful.", Tone.MUTED)])]


def _label_tiles(course: Course) -> list[Tile]:
    figures = course.figures
    right = round((figures["accuracy"] or 0.0) * figures["n"])
    low, high = metrics.wilson(right, figures["n"])
    rejected = words.share(figures["rejected_share"])
    found = [
        Tile("accuracy", words.share(figures["accuracy"]), f"95 % sure: {low:.1%} to {high:.1%}", Tone.PLAIN),
        Tile("AUROC", words.decimal(figures["auroc"]), "0.5 is chance, 1 is perfect", Tone.PLAIN),
        Tile(
            f"right at threshold {course.stored.threshold:.2f}",
            words.share(figures["accuracy_at_reject"]),
            f"{rejected} fall below it",
            Tone.PLAIN,
        ),
    ]
    if figures["oos_recall"] is not None:
        note = f"of {figures['n_out_of_scope']:,} that fit no class"
        found.append(Tile("out of scope, turned away", words.share(figures["oos_recall"]), note, Tone.PLAIN))
    return found


def _outcome_tiles(course: Course) -> list[Tile]:
    figures = course.figures
    apart = figures.get("apgr_groups_left_out")
    found = [
        Tile("gap recovered (APGR)", words.decimal(figures["apgr"]), "0.5 is chance", Tone.PLAIN),
        Tile("by length alone", words.decimal(figures["apgr_length"]), "what it must beat", Tone.PLAIN),
    ]
    if apart is not None:
        found.insert(1, Tile("in groups it has not seen", words.decimal(apart), "whole groups left out", Tone.PLAIN))
    return found


def _beside(course: Course) -> list[Block]:
    key = "apgr" if course.stored.target == _OUTCOME else "accuracy"
    named = {"this model": course.figures, **course.baselines}
    columns = ["judged", f"#{key}", "#AUROC", "#calibration error"]
    rows: list[list[Value]] = [
        [name, *(_number(of.get(one)) for one in (key, "auroc", "ece"))] for name, of in named.items()
    ]
    best = "this model" if course.beats else ""
    bars = [
        Bar(name, of[key] or 0.0, _number(of[key]), Tone.GOOD if name == best else Tone.MUTED)
        for name, of in named.items()
    ]
    return [
        Text(
            "All are judged on the same messages, none of which was learnt from. Length sees nothing but the number of"
            " characters."
        ),
        Bars(key, bars),
        Table(columns, rows),
    ]


def _classes(course: Course) -> Table:
    by_class = course.figures["per_class"]
    order = sorted(by_class, key=lambda name: (by_class[name]["recall"] or 0.0, name))
    shown = f"The {MOST_CLASSES} worst of {len(order)}." if len(order) > MOST_CLASSES else "The worst first."
    rows: list[list[Value]] = [
        [
            name,
            words.share(by_class[name]["recall"]),
            words.share(by_class[name]["precision"]),
            words.number(by_class[name]["n"]),
            words.number(course.data["per_class"].get(name)),
        ]
        for name in order[:MOST_CLASSES]
    ]
    columns = ["class", "#found of it (recall)", "#right where said (precision)", "#judged", "#rows"]
    return Table(columns, rows, caption=shown)


def _worst(course: Course) -> Table:
    rows: list[list[Value]] = [
        [_clipped(one.text), one.right, Cell(one.found, Tone.BAD), words.share(one.confidence)] for one in course.worst
    ]
    caption = "Look whether their labels are right: a wrong label is the commonest cause."
    return Table(["message", "right", "found", "#how sure"], rows, "It makes none.", caption)


def _facts(course: Course) -> Facts:
    stored, data = course.stored, course.data
    tried = ", ".join(
        f"{'with' if one.with_pieces else 'without'} pieces, cost {one.cost:g}: {words.share(accuracy)}"
        for one, accuracy in course.learnt.tried.items()
    )
    return Facts(
        [
            ("rows", words.number(data["rows"])),
            ("out of scope", words.number(data["out_of_scope"])),
            ("groups", words.number(data["groups"])),
            ("pairs of near-duplicates", words.number(data["near_duplicates"])),
            ("SHA-256 of the data", data["sha256"]),
            ("seed", str(data["seed"])),
            ("features", words.number(len(stored.vocabulary))),
            ("pieces of words", "yes" if stored.pieces else "no"),
            ("tried, on messages held out", tried),
            ("fits", str(course.learnt.fits)),
            ("threshold", f"{stored.threshold:.4f}, below which {words.share(data['reject'])} of the judged fall"),
        ]
    )


def _usage(course: Course, model_file: str) -> list[Block]:
    return [
        Table(
            ["", "command"],
            [
                ["see how it does on other rows", f"pointsman evaluate OTHER.jsonl --model {model_file}"],
                ["use it", f"pointsman model use {model_file} --reload"],
                ["see why a message goes where it goes", 'pointsman explain "..."'],
                ["go back to the model before", "pointsman model rollback --reload"],
            ],
        ),
        Text(
            f"The settings need a class, or an alias of one, for each of: {', '.join(course.classes[:12])}"
            + (f" and {len(course.classes) - 12} more." if len(course.classes) > 12 else ".")
        ),
        Text("It never learns by itself: train it again when messages change."),
    ]


def _number(value: Any) -> str:
    return "-" if value is None else words.decimal(value)


def _clipped(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_TEXT else f"{flat[:LONGEST_TEXT]} ..."
