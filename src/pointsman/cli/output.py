"""The only file that prints: lines, tables, JSON, complaints, questions and progress.

Text that came from elsewhere (messages, workers, other people's settings) never reaches a terminal as it is: whatever
could act on one is shown as an escape. Tables are drawn by rich on a terminal; in a pipe they are plain columns, never
cut and never coloured.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, TextIO

import click

from pointsman.cli.exits import ExitCode

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

STYLES: Final = {
    "ready": "green",
    "closed": "green",
    "delivered": "green",
    "yes": "green",
    "met": "green",
    "not measured": "yellow",
    "missed": "red",
    "usable": "green",
    "busy": "yellow",
    "half_open": "yellow",
    "held": "yellow",
    "draining": "yellow",
    "paused": "yellow",
    "delayed": "yellow",
    "abstain": "yellow",
    "open": "red",
    "down": "red",
    "failed": "red",
    "dead": "red",
    "expired": "red",
    "revoked": "red",
}
"""Colours of the words for states, in the columns that hold one."""

_STATE_COLUMNS: Final = frozenset({"state", "status", "breaker", "verdict"})

_GAP: Final = 2
_FOLDED_WIDTH: Final = 20
"""What the last column of a table needs at least before others are left out, characters."""


def set_up() -> None:
    """Let characters that a terminal's encoding does not know come out as escapes instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def flush() -> None:
    """Write what is still held back; a reader who has left is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_reader()


def give_up() -> NoReturn:
    """End the command quietly, as nobody reads what it writes."""
    _forget_reader()
    raise click.exceptions.Exit(ExitCode.OK)


def _forget_reader() -> None:
    """Point standard output at nothing, so that Python's own flush at exit finds no broken pipe."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def on_terminal() -> bool:
    """Whether a person looks at standard output, and not a program."""
    return sys.stdout.isatty()


def printable(text: str) -> str:
    r"""Return `text` on one line, with whatever could act on a terminal as `\xNN` or `\uNNNN`."""
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(char)
    return short or ascii(char)[1:-1]


def say(text: str = "", style: str = "") -> None:
    """Print a line."""
    _line(sys.stdout, printable(text), style)


def note(text: str) -> None:
    """Print a line on standard error: for people, never part of a result."""
    _line(sys.stderr, printable(text))


def complain(text: str) -> None:
    """Say on standard error what went wrong."""
    _line(sys.stderr, printable(f"error: {text}"), "red")


def complain_of_settings(mistakes: Sequence[str]) -> None:
    """Say every mistake in the settings, one a line."""
    count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    complain(f"the settings cannot be used: {count}")
    for mistake in mistakes:
        note(f"  {mistake}")


def fail(text: str, code: ExitCode = ExitCode.FAILED) -> NoReturn:
    """Say what went wrong and end the command with an exit code."""
    complain(text)
    raise click.exceptions.Exit(code)


def body(text: str) -> None:
    """Print a worker's reply: unchanged into a pipe; on a terminal its line breaks and tabs act, nothing else does."""
    if on_terminal():
        text = "".join(char if char in "\n\t" or char.isprintable() else _escape(char) for char in text)
    _write(sys.stdout, text if text.endswith("\n") else text + "\n")


def raw(text: str) -> None:
    """Print a text of our own, such as a template, as it is."""
    _write(sys.stdout, text)


def document(value: Any) -> None:
    """Print one JSON document, indented."""
    _write(sys.stdout, "\n".join(map(_json_safe, _json(value, 2).split("\n"))) + "\n")


def record(value: Any) -> None:
    """Print one JSON value on a line of its own, at once."""
    _write(sys.stdout, _json_safe(_json(value, None)) + "\n")
    sys.stdout.flush()


def as_json(value: Any) -> str:
    """Return a value as indented JSON, for `body`."""
    return _json(value, 2)


def _json(value: Any, indent: int | None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _json_safe(line: str) -> str:
    """Escape, in JSON's own way, what JSON leaves in a string but a terminal would obey."""
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in line)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, empty: str, optional: Sequence[str] = ()) -> None:
    """Print a table.

    Args:
        columns: headings. Columns named `state`, `status`, `breaker` and `verdict` are coloured by their words.
        rows: cells; None is shown as `-`, numbers stand to the right.
        empty: what is said on a terminal where there is no row.
        optional: columns that are left out where a terminal is too narrow, the first one first. What is still too wide
            is folded in the last column and cut in others, but never in the first.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    right = [bool(rows) and all(_is_number(row[at]) for row in rows) for at in range(len(columns))]
    if not on_terminal():
        _plain_table([name.upper() for name in columns], cells, right)
    elif not rows:
        say(empty, "dim")
    else:
        console = screen()
        kept = _kept(columns, cells, optional, console.width)
        console.print(
            _drawn(
                [columns[at] for at in kept], [[row[at] for at in kept] for row in cells], [right[at] for at in kept]
            )
        )


def pairs(values: Mapping[str, Any]) -> None:
    """Print names and values, one pair a line."""
    widest = max(map(len, values), default=0)
    for name, value in values.items():
        say(f"{name:<{widest}}  {_cell(value)}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(str(value))


def _kept(columns: Sequence[str], cells: list[list[str]], optional: Sequence[str], width: int) -> list[int]:
    """Return the places of the columns that a terminal of this width has room for."""
    widths = [max(len(name), *(len(row[at]) for row in cells)) for at, name in enumerate(columns)]
    widths[-1] = min(widths[-1], _FOLDED_WIDTH)
    kept = list(range(len(columns)))
    for name in optional:
        if sum(widths[at] + _GAP for at in kept) - _GAP > width:
            kept.remove(columns.index(name))
    return kept


def _plain_table(columns: list[str], cells: list[list[str]], right: list[bool]) -> None:
    lines = [columns, *cells]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        parts = [
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(line, widths, right, strict=True)
        ]
        _write(sys.stdout, (" " * _GAP).join(parts).rstrip() + "\n")


def _drawn(columns: list[str], cells: list[list[str]], right: list[bool]) -> Table:
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    last = len(columns) - 1
    for place, name in enumerate(columns):
        is_whole = place == 0 or right[place] or name in _STATE_COLUMNS
        drawn.add_column(name.upper(), justify="right" if right[place] else "left", no_wrap=is_whole)
    for row in cells:
        texts = []
        for place, (name, cell) in enumerate(zip(columns, row, strict=True)):
            style = STYLES.get(cell, "") if name in _STATE_COLUMNS else ""
            overflow: Literal["fold", "ellipsis"] = "fold" if place == last else "ellipsis"
            texts.append(Text(cell, style, no_wrap=place != last, overflow=overflow))
        drawn.add_row(*texts)
    return drawn


def screen(stream: TextIO | None = None) -> Console:
    """Return what draws on a terminal; standard output's by default. Nothing in a text is markup to it."""
    from rich.console import Console

    return Console(file=stream or sys.stdout, highlight=False, markup=False, emoji=False)


def ask(question: str, *, agreed: bool) -> None:
    """Ask before something that cannot be undone; end the command unless the answer is yes.

    Args:
        question: says what will happen, and to how many.
        agreed: `--yes` was given, so nobody is asked.
    """
    if agreed:
        return
    if not sys.stdin.isatty():
        fail(f"{question} Nobody can be asked here: say --yes if you mean it", ExitCode.USAGE)
    if not click.confirm(printable(question), err=True):
        fail("nothing was done")


@contextlib.contextmanager
def progress(what: str, total: float) -> Iterator[Callable[[float], None]]:
    """Show a progress bar on standard error while the block runs, if a person looks at it.

    Yields:
        A function that is told how much has been done since the last call.
    """
    done = 0.0

    def advance(by: float) -> None:
        nonlocal done
        done += by
        told(what, done / total)

    with stages(what) as told:
        yield advance


@contextlib.contextmanager
def stages(first: str) -> Iterator[Callable[[str, float], None]]:
    """Show a bar like `progress`, whose function is told what is being done, and how much of the whole is: 0..1."""
    if not sys.stderr.isatty():
        yield lambda doing, share: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen(sys.stderr), transient=True) as bar:
        task = bar.add_task(first, total=1.0)
        yield lambda doing, share: bar.update(task, description=doing, completed=share)


def _line(stream: TextIO, text: str, style: str = "") -> None:
    if style and stream.isatty():
        from rich.text import Text

        screen(stream).print(Text(text, style), soft_wrap=True)
    else:
        _write(stream, text + "\n")


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
