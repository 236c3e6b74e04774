"""`pointsman config`: is the file right, what is in force and why, and take it into the running router."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pointsman.cli import figures, options, output
from pointsman.cli.client import API, Client, Problem
from pointsman.cli.exits import ExitCode
from pointsman.cli.settings import read
from pointsman.model.errors import SettingsError

if TYPE_CHECKING:
    from pointsman.config.load import Loaded


@click.group()
def config() -> None:
    """Check, explain and reload the settings."""


@config.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@options.settings_values
@options.form
@click.pass_context
def check(ctx: click.Context, file: Path | None, values: Mapping[str, str], form: str) -> None:
    """Find every mistake in a settings file, the environment and flags.

    FILE is pointsman.toml in this directory unless you say otherwise. Exit code 5 means that there are mistakes.
    """
    try:
        loaded = read(file, values)
        api_keys = _count_keys(loaded)
        named_only = _named_only(loaded)
    except SettingsError as error:
        if form != "json":
            raise
        output.document({"file": str(file) if file else None, "mistakes": error.mistakes})
        ctx.exit(ExitCode.SETTINGS)
    pools = loaded.settings.pools
    workers = sum(len(pool.workers) for pool in pools.values())
    classes = len(loaded.settings.classes)
    if form == "json":
        output.document(
            {
                "file": str(loaded.path) if loaded.path else None,
                "mistakes": [],
                "keys": api_keys,
                "named_only": named_only,
            }
        )
    else:
        where = loaded.path or "no file, only defaults"
        output.say(
            f"{where}: no mistakes. {classes} classes, {len(pools)} pools, {workers} workers,"
            f" {figures.count(api_keys, 'usable API key')}."
        )
        if named_only:
            output.say(
                f"The classifier knows nothing of {', '.join(named_only)}: such a message must be named so by its"
                " sender, by its conversation or by a rule that forces."
            )


def _named_only(loaded: Loaded) -> list[str]:
    """Return the classes that no words lead to. Raises SettingsError where model and settings do not fit."""
    from pointsman.config.models import trained
    from pointsman.core.classify.pipeline import Classifier

    settings = loaded.settings
    beside = loaded.path.parent if loaded.path else Path()
    return Classifier(settings.classifier, settings.classes, trained(settings, beside)).named_only


def _count_keys(loaded: Loaded) -> int:
    """Return how many API keys count now. Raises SettingsError where there is a file of them that is of no use."""
    from pointsman.config.keys_file import keys_path, ring_of
    from pointsman.runtime.clock import SystemClock

    return ring_of(keys_path(loaded)).counts(SystemClock().wall()).usable


@config.command()
@click.argument("key", required=False)
@options.settings_file
@options.settings_values
@options.form
def explain(key: str | None, file: Path | None, values: Mapping[str, str], form: str) -> None:
    """Show what is in force, where it came from and what it means.

    KEY is a setting (limits.burst) or a table of them (limits); without it, everything is shown.
    """
    import msgspec

    from pointsman.config.explain import explain as rows_of

    rows = rows_of(read(file, values), key)
    if form == "json":
        output.document(msgspec.to_builtins(rows))
    elif len(rows) == 1:
        row = rows[0]
        output.say(f"{row.key} = {row.value}", "bold")
        output.say(f"  {row.description}")
        output.say(f"  from {row.origin}; the default is {row.default}")
    else:
        output.table(
            ["key", "value", "from", "meaning"],
            [[row.key, row.value, row.origin, row.description] for row in rows],
            empty="no settings",
        )


@config.command()
def schema() -> None:
    """Print the JSON Schema of the settings file, for editors."""
    from pointsman.config.schema import schema as made

    output.document(made())


@config.command()
@options.url
@options.form
def reload(url: str | None, form: str) -> None:
    """Let the running router read its settings again. A bad file changes nothing."""
    try:
        answer = Client(url).post(f"{API}/config/reload")
    except Problem as problem:
        mistakes = problem.document.get("mistakes")
        if not mistakes:
            raise
        raise SettingsError(mistakes) from None
    if form == "json":
        output.document(answer)
        return
    for title, keys in (("In force now", answer["changed"]), ("Needs a restart", answer["needs_restart"])):
        if keys:
            output.say(f"{title}: {', '.join(keys)}")
    if not answer["changed"] and not answer["needs_restart"]:
        output.say("Nothing differs from what is in force.")
