"""Runs a test in both event loops: they differ in writing, in TLS, and in what they tell of a lost connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

WATCHDOG_S = 20.0


def in_both_loops(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[str], None]:
    """Make two tests of an async one without arguments: one in asyncio's own loop, one in uvloop's."""

    @pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
    def call(loop: str) -> None:
        (uvloop.run if loop == "uvloop" else asyncio.run)(asyncio.wait_for(test(), WATCHDOG_S))

    call.__name__ = test.__name__
    call.__doc__ = test.__doc__
    call.__module__ = test.__module__
    return call
