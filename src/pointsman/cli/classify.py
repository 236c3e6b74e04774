"""`pointsman classify`: the class of each row of a file, by the settings, with no service and nothing sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from pointsman.cli import options, output
from pointsman.cli.rows import Row, rows, whole_text
from pointsman.cli.settings import read

if TYPE_CHECKING:
    from pointsman.cli.local import Local


@click.command()
@click.argument("text", required=False)
@click.option(
    "--input",
    "source",
    type=click.File("rb"),
    metavar="FILE",
    help="A message a line: plain text, or a JSON object with `text` or `messages`; - is standard input.",
)
@click.option(
    "--format",
    "row_format",
    type=click.Choice(["auto", "text", "jsonl"]),
    default="auto",
    show_default=True,
    help="What a line of the file is; auto takes a line that begins with { as JSON.",
)
@options.settings_file
@options.settings_values
@options.form
def classify(
    text: str | None,
    source: BinaryIO | None,
    row_format: str,
    file: Path | None,
    values: Mapping[str, str],
    form: str,
) -> None:
    """Give TEXT, or each row of a file, its class.

    One line for each row, in its order. With -o json a line is {"class", "confidence", "probabilities", "cause"}, or
    {"error"} for a row that a router would refuse. TEXT - takes the whole of standard input as one message.
    """
    if (text is None) == (source is None):
        raise click.UsageError("Give either a TEXT or --input FILE.")
    from pointsman.cli.local import Local

    loaded = read(file, values)
    local = Local(loaded.settings, loaded.path.parent if loaded.path else None)
    if source is not None:
        _each(local, rows(source, row_format), form)
        return
    decided = _decide(local, Row(text=whole_text(text or "")))
    if "error" in decided:
        if form == "json":
            output.record(decided)
        output.fail(decided["error"])
    _show(decided, form)


def _each(local: Local, lines: Iterator[Row], form: str) -> None:
    for row in lines:
        _show(_decide(local, row), form)


def _decide(local: Local, row: Row) -> dict[str, Any]:
    if row.error:
        return {"error": row.error}
    decided = local.preview(text=row.text, messages=row.messages, class_=row.message_class)
    if isinstance(decided, str):
        return {"error": decided}
    return {
        "class": decided.message_class,
        "confidence": decided.confidence,
        "probabilities": decided.probabilities,
        "cause": decided.cause,
    }


def _show(decided: dict[str, Any], form: str) -> None:
    if form == "json":
        output.record(decided)
    elif "error" in decided:
        output.say(f"{'-':<12} error: {decided['error']}")
    else:
        output.say(f"{decided['class']:<12} {decided['confidence']:.2f}  {decided['cause']}")
