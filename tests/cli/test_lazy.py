from __future__ import annotations

import subprocess
import sys

import click
import pytest

from pointsman.cli.lazy import Lazy, LazyGroup
from pointsman.cli.start import COMMANDS, root
from tests.cli.conftest import SOURCE

TABLE = {name: lazy for section in COMMANDS.values() for name, lazy in section.items()}

HEAVY = ("rich", "uvicorn", "uvloop", "msgspec", "httptools", "asyncio", "http", "ssl", "logging")

HELP = """
import contextlib, io, sys
from pointsman.cli.start import run
with contextlib.redirect_stdout(io.StringIO()) as shown:
    code = run(ARGUMENTS)
print(code, "Usage: pointsman" in shown.getvalue(), *sys.modules)
"""


def loaded_by(*arguments: str) -> set[str]:
    """Modules that a fresh process has loaded after this command, which must show a help text."""
    program = HELP.replace("ARGUMENTS", repr(list(arguments)))
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=True
    )
    code, shown, *modules = done.stdout.split()
    assert (code, shown) == ("0", "True")
    return set(modules)


def test_help_loads_no_library_but_click_and_nothing_of_the_house():
    """What `pointsman --help` costs is what it imports: click and a handful of small files of ours."""
    modules = loaded_by("--help")
    assert not modules & set(HEAVY)
    ours = {name for name in modules if name.startswith("pointsman.") and not name.startswith("pointsman.cli")}
    assert ours == {"pointsman.config", "pointsman.config.environment", "pointsman.model", "pointsman.model.errors"}


@pytest.mark.parametrize("name", TABLE)
def test_help_of_a_command_loads_nothing_heavy_either(name):
    """A command imports what it needs when it runs."""
    assert not loaded_by(name, "--help") & set(HEAVY)


@pytest.mark.parametrize("name", TABLE)
def test_every_entry_of_the_table_is_a_command_with_help(name):
    """Each target can be imported, is a command of that name, and explains itself."""
    found = root.get_command(click.Context(root), name)
    assert isinstance(found, click.Command)
    assert found.name == name
    assert found.help
    assert TABLE[name].help.endswith(".")


def test_a_name_that_is_not_in_the_table_is_no_command():
    """None, as click expects."""
    assert root.get_command(click.Context(root), "nothing") is None


def test_a_target_that_is_no_command_is_a_fault():
    """It is said which, instead of failing somewhere inside click."""
    group = LazyGroup(sections={"Any": {"x": Lazy("pointsman.cli.exits:MEANINGS", "No command.")}})
    with pytest.raises(TypeError, match=r"pointsman\.cli\.exits:MEANINGS is no command"):
        group.get_command(click.Context(group), "x")


def test_commands_are_listed_in_the_order_of_the_table():
    """Not by the alphabet: what a newcomer needs comes first."""
    assert root.list_commands(click.Context(root)) == list(TABLE)
