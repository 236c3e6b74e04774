from __future__ import annotations

import asyncio

import pytest

from pointsman.cli.event_loop import run_in


async def loop_module() -> str:
    """Module of the loop that runs this."""
    return type(asyncio.get_running_loop()).__module__


def test_asyncio_can_be_asked_for():
    """Even where uvloop is installed."""
    module, name = run_in("asyncio", loop_module)
    assert module.startswith("asyncio")
    assert name == "asyncio"


@pytest.mark.parametrize("wanted", ["auto", "uvloop"])
def test_uvloop_is_taken_where_it_is_installed(wanted):
    """It is, among what tests install."""
    assert run_in(wanted, loop_module) == ("uvloop", "uvloop")
