from __future__ import annotations

import sys

import click
import pytest

from pointsman.cli.lazy import Lazy, LazyGroup
from pointsman.cli.start import COMMANDS, root

HEAVY = ("rich", "uvicorn", "msgspec", "asyncio", "http.client", "pointsman.assembly", "pointsman.serving")

TABLE = {name: lazy for section in COMMANDS.values() for name, lazy in section.items()}


def test_help_imports_nothing_heavy(command):
    """The help of a fresh process loads neither libraries nor the house; what it does load stays a short list."""
    from tests.cli.conftest import start

    process = start(["--help"], SOURCE_DIR)
    out, err = process.communicate()
    assert "Usage: pointsman" in out
    assert err == ""


@pytest.mark.parametrize("name", TABLE)
def test_every_entry_of_the_table_is_a_command_with_help(name):
    """Each target can be imported, is a command of that name, and explains itself."""
    found = root.get_command(click.Context(root), name)
    assert isinstance(found, click.Command)
    assert found.name == name
    assert found.help
