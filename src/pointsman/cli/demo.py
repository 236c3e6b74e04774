"""`pointsman demo`: the entry; the demonstration itself is `operations.demo`."""

from __future__ import annotations

from pathlib import Path

import click

from pointsman.cli import options


@click.command()
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), metavar="N", help="End after N seconds.")
@click.option("--no-keep", is_flag=True, help="End after the summary instead of serving on until Ctrl-C.")
@click.option(
    "--prompts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Send these instead: JSON lines with `text`.",
)
@click.option("--listen", metavar="ADDRESS:PORT", help="Where to serve; default 127.0.0.1:8080, or a free port.")
@options.form
@click.pass_context
def demo(
    ctx: click.Context, seconds: float | None, no_keep: bool, prompts: Path | None, listen: str | None, form: str
) -> None:
    """Start a router and six real workers, send 200 messages from eight clients, and show who got what and why.

    --seconds N stops sending at N, lets the rest end, prints the summary and exits; it implies --no-keep and uses a
    free port. With -o json the last line is the summary as JSON.
    """
    from pointsman.operations.demo import Options, run

    ctx.exit(run(Options(seconds=seconds, keep=not no_keep, prompts=prompts, as_json=form == "json", listen=listen)))
