"""Writes the reference pages from the code. `make docs` runs it; a test fails when a page is stale."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pointsman.cli.start import root
from pointsman.config.reference import reference as settings_reference
from pointsman.http.openapi import document
from pointsman.http.problems import reference as errors_reference
from pointsman.http.routes import ROUTES
from pointsman.model.states import ENDS, TRANSITIONS, Status
from pointsman.telemetry.reference import reference as metrics_reference

HERE = Path(__file__).parent / "reference"


def pages() -> dict[str, str]:
    """Return every generated page by its file name."""
    return {
        "settings.md": settings_reference(),
        "metrics.md": metrics_reference(),
        "errors.md": errors_reference(),
        "commands.md": commands_reference(),
        "message-life.md": life_reference(),
        "openapi.json": json.dumps(json.loads(document(ROUTES, "reference")), indent=1, sort_keys=True) + "\n",
    }


def commands_reference() -> str:
    """Return the help of every command as Markdown."""
    lines = ["# Commands", "", "Generated from the code; `pointsman COMMAND --help` says the same.", ""]
    _describe(root, click.Context(root, info_name="pointsman"), lines, 2)
    return "\n".join(lines).rstrip() + "\n"


def _describe(command: click.Command, context: click.Context, lines: list[str], level: int) -> None:
    context.max_content_width = 100
    context.terminal_width = 100
    lines += [f"{'#' * min(level, 4)} `{context.command_path}`", "", "```", command.get_help(context), "```", ""]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                _describe(inner, click.Context(inner, parent=context, info_name=name), lines, level + 1)


def life_reference() -> str:
    """Return the states of a message as a table and a diagram."""
    lines = [
        "# The life of a message",
        "",
        "Generated from the table in `model/states.py`; an event that is not in it raises and changes nothing.",
        "",
        "| state | event | next state |",
        "|---|---|---|",
    ]
    for status in Status:
        for event, after in TRANSITIONS[status].items():
            lines.append(f"| `{status}` | {event} | `{after}` |")
    lines += ["", "```mermaid", "stateDiagram-v2", "    [*] --> queued: put", "    [*] --> delayed: put, not yet"]
    for status in Status:
        lines += [f"    {status} --> {after}: {event}" for event, after in TRANSITIONS[status].items()]
    lines += [f"    {status} --> [*]" for status in Status if status in ENDS]
    return "\n".join([*lines, "```", ""])


def main() -> None:
    """Write the pages that changed and name them."""
    HERE.mkdir(exist_ok=True)
    for name, text in pages().items():
        path = HERE / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            click.echo(f"wrote {path.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
