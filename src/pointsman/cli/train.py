"""`pointsman train`: a classifier of one's own messages, with the figures that say whether it is worth using."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pointsman.cli import options, output
from pointsman.cli.exits import ExitCode
from pointsman.cli.learning import need_numpy

if TYPE_CHECKING:
    from pointsman.operations.learning.course import Course

_SHOWN: Final = 8
"""Classes, and mistakes, that the terminal shows; the report shows more."""

_LONGEST: Final = 100
_BAR: Final = 20
"""Characters of a message, and of a bar, there."""


@click.command()
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--output", "target_file", required=True, type=click.Path(path_type=Path), metavar="MODEL", help="The model's file."
)
@click.option(
    "--validation",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Rows to judge and calibrate by; without, the rows judge each other in five folds.",
)
@click.option(
    "--reject",
    type=click.FloatRange(0.0, 0.9),
    default=0.05,
    show_default=True,
    help="Share of judged messages that may fall below the threshold, and so go to the fallback class.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Same seed, same model.")
@click.option(
    "--target",
    type=click.Choice(["label", "outcome"]),
    default="label",
    show_default=True,
    help="Learn labels, or from weak_ok and strong_ok where the strong worker pays off.",
)
@click.option(
    "--pieces/--no-pieces", default=None, help="Whether pieces of words are features; by default both are tried."
)
@click.option("--name", default="", metavar="NAME", help="The model's name; by default made of its data's hash.")
@click.option(
    "--report",
    "report_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the report there: .html for a page with pictures, else Markdown.",
)
@options.short_form
def train(
    files: tuple[Path, ...],
    target_file: Path,
    validation: Path | None,
    reject: float,
    seed: int,
    target: str,
    pieces: bool | None,
    name: str,
    report_file: Path | None,
    form: str,
) -> None:
    """Train a classifier from JSON lines: {"text", "label", "group"?, "weight"?} a row.

    Label null is out of scope. Rows of one group (a project, a client) are never judged by each other. Exits with 3
    where the model does not beat the commonest class, the length alone or the rules; it is written all the same.
    """
    need_numpy()
    for path in (target_file, report_file):
        if path is not None and not path.parent.is_dir():
            output.fail(f"{path} cannot be written: there is no directory {path.parent}")
    from pointsman.core.classify import model_file
    from pointsman.operations.learning import course as courses
    from pointsman.runtime.clock import SystemClock
    from pointsman.serving import version
    from pointsman.training.dataset import lines_of

    clock = SystemClock()
    began = clock.monotonic()
    made = datetime.fromtimestamp(clock.wall(), UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    wanted = courses.Wanted(
        target=target, reject=reject, seed=seed, pieces=pieces, made=made, made_by=version(), name=name
    )
    names = (", ".join(path.name for path in files), validation.name if validation else "")
    with ExitStack() as stack, output.stages("reading") as told:
        lines = itertools.chain.from_iterable(lines_of(stack.enter_context(path.open("rb"))) for path in files)
        proof: Iterator[bytes] | None = lines_of(stack.enter_context(validation.open("rb"))) if validation else None
        came = courses.train(lines, proof, wanted, names=names, told=told)
    text = model_file.write(came.stored)
    target_file.write_bytes(text)
    if report_file is not None:
        from pointsman.operations.learning import report as reports

        reports.write(came, report_file, str(target_file))
    took_s = clock.monotonic() - began
    if form == "json":
        output.document(_as_json(came, target_file, len(text), took_s))
    else:
        _show(came, target_file, len(text), took_s)
    if not came.beats:
        raise click.exceptions.Exit(ExitCode.NOT_BETTER)


def _as_json(came: Course, file: Path, size: int, took_s: float) -> dict[str, Any]:
    return {
        "model": str(file),
        "name": came.stored.name,
        "bytes": size,
        "target": came.stored.target,
        "classes": came.classes,
        "features": len(came.stored.vocabulary),
        "pieces": came.stored.pieces,
        "threshold": came.stored.threshold,
        "figures": came.figures,
        "baselines": came.baselines,
        "beats_baselines": came.beats,
        "learning_curve": [{"rows": rows, "accuracy": accuracy} for rows, accuracy in came.learnt.curve],
        "fits": came.learnt.fits,
        "data": came.data,
        "warnings": came.warnings,
        "took_s": round(took_s, 3),
    }


def _show(came: Course, file: Path, size: int, took_s: float) -> None:
    for warning in came.warnings:
        output.note(f"warning: {warning}")
    key = "apgr" if came.stored.target == "outcome" else "accuracy"
    named = {"this model": came.figures, **came.baselines}
    rows = [
        [name, _bar(of.get(key)), *(_short(of.get(one)) for one in (key, "auroc", "ece"))] for name, of in named.items()
    ]
    output.table(["judged", "", key, "auroc", "ece"], rows, empty="", optional=[""])
    output.say()
    if came.stored.target == "label":
        _show_classes(came)
        _show_mistakes(came)
    apart = came.figures.get("apgr_groups_left_out")
    by = f"{came.data['validation_rows']} validation rows" if came.data["validation_rows"] else "five folds"
    output.pairs(
        {
            "model": f"{file}, {size / 1e6:.2f} MB, {len(came.stored.vocabulary)} features",
            "judged by": by,
            "threshold": f"{came.stored.threshold}, below which {came.data['reject']:.0%} of the judged fall",
            **({"on strangers": f"apgr {_short(apart)} with whole groups left out"} if apart is not None else {}),
            "took": f"{took_s:.1f} s, {came.learnt.fits} fits",
        }
    )


def _show_classes(came: Course) -> None:
    classes = came.figures["per_class"]
    worst = sorted(classes, key=lambda one: classes[one]["recall"] or 0.0)[:_SHOWN]
    rows = [
        [one, _bar(classes[one]["recall"]), *(_short(classes[one][key]) for key in ("recall", "precision", "n"))]
        for one in worst
    ]
    heading = "class" if len(classes) <= _SHOWN else f"worst {_SHOWN} of {len(classes)} classes"
    output.table([heading, "", "recall", "precision", "rows"], rows, empty="", optional=[""])
    output.say()


def _show_mistakes(came: Course) -> None:
    if not came.worst:
        return
    rows = [
        [_short(one.confidence), one.right, one.found, " ".join(one.text[:_LONGEST].split())]
        for one in came.worst[:_SHOWN]
    ]
    output.table(["sure", "right", "found", "its surest mistakes"], rows, empty="")
    output.say()


def _bar(share: float | None) -> str:
    """Return a share as a bar."""
    return "\u2588" * round(_BAR * (share or 0.0))


def _short(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 3)
