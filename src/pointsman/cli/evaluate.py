"""`pointsman evaluate`: how a model does on rows, by the very code that answers messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pointsman.cli import options, output
from pointsman.cli.learning import need_numpy


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--model",
    "model",
    required=True,
    type=click.Path(path_type=Path),
    metavar="MODEL",
    help="Its file, or default.",
)
@options.form
def evaluate(file: Path, model: Path, form: str) -> None:
    """Judge a model by rows as `pointsman train` takes them.

    Rows of an outcome model have weak_ok and strong_ok in place of a label; those with label null are out of scope.
    """
    need_numpy()
    from pointsman.operations.learning.judging import evaluate as judge
    from pointsman.training.dataset import lines_of

    with output.stages("reading") as told, file.open("rb") as lines:
        found = judge(lines_of(lines), model, name=file.name, told=told)
    if form == "json":
        output.document(found)
        return
    _show(found)


def _show(found: dict[str, Any]) -> None:
    classes = found.get("per_class") or {}
    output.pairs({name: value for name, value in found.items() if name != "per_class"})
    if classes:
        output.say()
        output.table(
            ["class", "recall", "precision", "rows"],
            [[name, of["recall"], of["precision"], of["n"]] for name, of in classes.items()],
            empty="",
        )
