"""`pointsman serve`: the router as a service."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import click

from pointsman.cli import options, output
from pointsman.cli.exits import ExitCode
from pointsman.cli.settings import read


@click.command()
@options.settings_file
@click.option("--listen", metavar="ADDRESS:PORT", help="Where to listen; port 0 takes any free one.")
@options.settings_values
@click.option(
    "--loop",
    type=click.Choice(["auto", "asyncio", "uvloop"]),
    default="auto",
    show_default=True,
    help="Event loop; auto takes uvloop where it is installed.",
)
@click.pass_context
def serve(ctx: click.Context, file: Path | None, listen: str | None, values: Mapping[str, str], loop: str) -> None:
    """Run the router as an HTTP service until SIGTERM or Ctrl-C.

    Works without a settings file. The first signal lets what is in hand end, a second stops at once. SIGHUP, or
    `pointsman config reload`, reads the settings again; a bad file changes nothing.
    """
    from pointsman import serving
    from pointsman.cli.event_loop import run_in
    from pointsman.http.server import ListenError

    flags = dict(values)
    if listen is not None:
        flags["server.listen"] = listen
    read_again = partial(read, file, flags)
    loaded = read_again()
    where = f"settings from {loaded.path}" if loaded.path else "default settings"

    def say_listening(url: str) -> None:
        output.say(f"listening on {url}, with {where}")
        output.flush()

    serving.set_up_logging(loaded.settings.telemetry.log_level)
    try:
        clean, _ = run_in(loop, lambda: serving.serve(loaded, read_again, on_started=say_listening))
    except ListenError as error:
        output.fail(str(error), ExitCode.SETTINGS)
    if not clean:
        ctx.exit(ExitCode.FAILED)
