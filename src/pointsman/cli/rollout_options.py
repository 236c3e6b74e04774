"""Options of the verbs of a rollout: who does it, and why."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable

import click

from pointsman.cli.options import Command
from pointsman.config import environment


def actor(command: Command) -> Command:
    """`--actor`: who does it, for the record."""
    return click.option(
        "--actor", default=_login_name, metavar="NAME", help="Who does it, for the record; default: your login name."
    )(command)


def reason(meaning: str, *, required: bool = False) -> Callable[[Command], Command]:
    """`--reason`: why, for the record."""

    def add(command: Command) -> Command:
        if required:
            return click.option("--reason", required=True, metavar="TEXT", help=meaning)(command)
        return click.option("--reason", default="", metavar="TEXT", help=meaning)(command)

    return add


def _login_name() -> str:
    environ = environment.snapshot()
    return environ.get("USER") or environ.get("LOGNAME") or _owner()


def _owner() -> str:
    """Return whose process this is: cron jobs and containers leave it out of the environment."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""
