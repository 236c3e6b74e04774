"""`pointsman init`: a settings file to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from pointsman.cli import output


@click.command()
@click.argument("path", type=click.Path(path_type=Path, allow_dash=True), default="pointsman.toml")
@click.option("--force", is_flag=True, help="Overwrite a file that is there already.")
def init(path: Path, force: bool) -> None:
    """Write a settings file with every default and a comment to each.

    PATH is pointsman.toml unless you say otherwise; in a directory the file gets that name; - prints it. The file works
    as it is and means the defaults.
    """
    from pointsman.config.template import template

    if str(path) == "-":
        output.raw(template())
        return
    if path.is_dir():
        path = path / "pointsman.toml"
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(template())
    except FileExistsError:
        output.fail(f"{path} is there already; --force overwrites it")
    output.say(f"Wrote {path}. Next: pointsman config check {path}; pointsman serve --config {path}")
