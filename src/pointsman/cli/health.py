"""`pointsman health`: how every component of the router is, and what its exit code tells a script."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import click

from pointsman.cli import live, options, output
from pointsman.cli.client import API, Client, with_query
from pointsman.cli.exits import ExitCode
from pointsman.cli.health_grid import DAY_S, grid
from pointsman.cli.health_screen import essence, screen

PATH: Final = f"{API}/health"

_MOST: Final = 100_000
_CHECK_TIMEOUT_S: Final = 600.0
"""Checks take as long as `health.check_timeout_s` lets them; whoever asks for them waits."""

_CODES: Final = {"pass": ExitCode.OK, "warn": ExitCode.WARNING, "fail": ExitCode.FAILED}


@click.command()
@click.option("--check", is_flag=True, help="Look at everything now, instead of showing what the last look found.")
@click.option("-w", "--watch", is_flag=True, help="Go on showing it, until Ctrl-C.")
@click.option("--history", is_flag=True, help="Show the last 24 hours instead: one cell a check.")
@click.option("--component", metavar="NAME", help="Only this one (pool:coders), or those of a kind (worker).")
@options.url
@options.form
def health(check: bool, watch: bool, history: bool, component: str | None, url: str | None, form: str) -> None:
    """Show how every component of the router is.

    \b
    Exit code: 0 all is well, 6 something should be looked at,
    1 something fails, 4 no router answers.
    """
    if history and (check or watch):
        raise click.UsageError("--history shows what was; --check and --watch show what is.")
    if history:
        _show_history(Client(url), component, form)
        return
    client = Client(url, _CHECK_TIMEOUT_S) if check else Client(url)
    seen = _ask(client, component, check=check)
    if watch:
        _watch(client, component, form)
    elif form == "json":
        output.document(seen)
    else:
        live.show(partial(screen, url=client.url), seen)
    if not watch:
        raise click.exceptions.Exit(_CODES.get(seen["status"], ExitCode.FAILED))


def _ask(client: Client, component: str | None, *, check: bool = False) -> dict[str, Any]:
    method, path = ("POST", f"{PATH}/check") if check else ("GET", PATH)
    return client.call(method, with_query(path, component=component), also=(503,))


def _watch(client: Client, component: str | None, form: str) -> None:
    look = partial(_ask, client, component)
    if form == "json":
        live.records(look, essence)
    else:
        live.watch(look, partial(screen, url=client.url), essence)


def _show_history(client: Client, component: str | None, form: str) -> None:
    from pointsman.runtime.clock import SystemClock

    now = SystemClock().wall()
    found = client.get(f"{PATH}/history", component=component, since=f"{now - DAY_S:.3f}", limit=_MOST)
    if form == "json":
        output.document(found["checks"])
    else:
        live.show(partial(grid, now=now), found)
