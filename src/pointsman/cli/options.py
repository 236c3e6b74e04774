"""Options that several commands share, each written once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


_FOR: Final = "For people, or for programs."

KEY_META: Final = "pointsman.key"
"""Where a command's context keeps the API key that was given; `given_key` reads it."""


def url(command: Command) -> Command:
    """`--url` and `--key`: where the router is, and what lets us in."""
    return click.option(
        "--url", metavar="URL", help="Address of the router; default POINTSMAN_URL, then http://127.0.0.1:8080."
    )(key(command))


def key(command: Command) -> Command:
    """`--key`: the API key, which goes to `Client` past the command itself."""
    return click.option(
        "--key",
        metavar="KEY",
        expose_value=False,
        callback=_keep_key,
        help="API key; better in POINTSMAN_KEY, as others on this machine see what a command is given.",
    )(command)


def _keep_key(ctx: click.Context, param: click.Parameter, text: str | None) -> None:
    ctx.meta[KEY_META] = text


def given_key() -> str | None:
    """Return the `--key` of the command that runs in this thread, None where there is none."""
    ctx = click.get_current_context(silent=True)
    return None if ctx is None else ctx.meta.get(KEY_META)


def form(command: Command) -> Command:
    """`-o`: how the answer is printed."""
    return click.option(
        "-o",
        "--output",
        "form",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        help=_FOR,
    )(command)


def short_form(command: Command) -> Command:
    """`-o`: the same, for a command whose `--output` is a file."""
    return click.option(
        "-o", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help=_FOR
    )(command)


def settings_file(command: Command) -> Command:
    """`--config`: the settings file."""
    return click.option(
        "--config",
        "file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Settings file; default pointsman.toml in this directory, if there is one.",
    )(command)


def settings_values(command: Command) -> Command:
    """`--set`: single settings."""
    return click.option(
        "--set",
        "values",
        multiple=True,
        metavar="KEY=VALUE",
        callback=_assignments,
        help="Change one setting, such as limits.burst=50; may be repeated.",
    )(command)


def yes(command: Command) -> Command:
    """`--yes`: do not ask."""
    return click.option("--yes", is_flag=True, help="Do it without asking; for scripts.")(command)


def limit(command: Command) -> Command:
    """`--limit`: how many at most."""
    return click.option(
        "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Show so many at most."
    )(command)


def since(command: Command) -> Command:
    """`--since`: not older than."""
    return click.option(
        "--since",
        metavar="WHEN",
        callback=_instant,
        help="Not older than: 10m, 2h, 1d, or an instant such as 2030-01-31T12:00:00Z.",
    )(command)


def _instant(ctx: click.Context, param: click.Parameter, text: str | None) -> str | None:
    """Turn an age into Unix seconds; an instant is left for the router to read."""
    unit_s = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}.get(text[-1]) if text else None
    if text is None or unit_s is None or not text[:-1].isdecimal():
        return text
    from pointsman.runtime.clock import SystemClock

    return f"{max(0.0, SystemClock().wall() - float(text[:-1]) * unit_s):.3f}"


def _assignments(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    values: dict[str, str] = {}
    for text in texts:
        key, found, value = text.partition("=")
        if not found or not key.strip():
            raise click.BadParameter(f"{text!r}: expected KEY=VALUE, such as limits.burst=50", ctx, param)
        values[key.strip()] = value
    return values
