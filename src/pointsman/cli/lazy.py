"""A group of commands that are imported when they run, so that help costs no more than a table of names.

The help line of each command stands in the table, not in the command, as reading it there would import them all.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

import click


class Lazy(NamedTuple):
    """A command that is not imported yet: `module:attribute`, and its line in the list of commands."""

    target: str
    help: str


Sections = Mapping[str, Mapping[str, Lazy]]
"""Commands by name, by the heading they stand under."""


class LazyGroup(click.Group):
    """A group whose commands are named by a table.

    Args:
        sections: the table; help shows it in this order.
        **attributes: as for `click.Group`.
    """

    def __init__(self, *, sections: Sections, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.sections = sections
        self._table = {name: lazy for section in sections.values() for name, lazy in section.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of the table."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command, None if there is none of that name."""
        lazy = self._table.get(cmd_name)
        if lazy is None:
            return None
        module, _, attribute = lazy.target.partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{lazy.target} is no command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments begin with; an unknown one is answered with those spelt alike."""
        if args[0] not in self._table and not args[0].startswith("-") and not ctx.resilient_parsing:
            self._unknown(ctx, args[0])
        return super().resolve_command(ctx, args)

    def _unknown(self, ctx: click.Context, name: str) -> NoReturn:
        close = difflib.get_close_matches(name, self._table, 2)
        near = f" Did you mean {' or '.join(close)}?" if close else ""
        raise click.UsageError(f"There is no command {name!r}.{near}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing one."""
        widest = max(map(len, self._table), default=0)
        for heading, section in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(widest), lazy.help) for name, lazy in section.items()])
