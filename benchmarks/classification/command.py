"""The command line of the classifier's bars."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from benchmarks.classification import clinc, cost, default, explained, feedback, footprint, outcomes, robust
from benchmarks.classification.figures import Figure, line
from benchmarks.report import heading

PARTS: dict[str, Callable[[Path], Iterator[Figure]]] = {
    "clinc": clinc.measure,
    "outcomes": outcomes.measure,
    "default": default.measure,
    "cost": cost.measure,
    "robust": robust.measure,
    "explained": explained.measure,
    "feedback": feedback.measure,
    "footprint": footprint.measure,
}

DATA = Path(__file__).parents[3] / "shared" / "data"


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=DATA,
    help="Where data of others lie, in a folder `classification`; default ../shared/data beside the checkout.",
)
def main(parts: tuple[str, ...], data: Path) -> None:
    """Measure the classifier against its bars, all of them or some PARTS. Exits with 1 where one is missed."""
    heading("The classifier: training, answers and cost, beside the bars")
    missed = 0
    for part in parts or tuple(PARTS):
        for figure in PARTS[part](data / "classification"):
            print(line(figure), flush=True)
            missed += figure.verdict == "MISSED"
    if missed:
        print(f"\n{missed} missed")
        sys.exit(1)
