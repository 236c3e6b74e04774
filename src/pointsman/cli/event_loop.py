"""Runs a coroutine in asyncio's own event loop, or in uvloop's, which costs less per request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from pointsman.model.errors import UsageError

T = TypeVar("T")

LOOPS: Final = ("auto", "asyncio", "uvloop")
"""What may be asked for; `auto` takes uvloop where it is installed."""


def run_in(loop: str, work: Callable[[], Coroutine[Any, Any, T]]) -> tuple[T, str]:
    """Call `work` in a new event loop of one of `LOOPS` and run what it returns.

    Returns:
        The result, and the name of the loop.

    Raises:
        UsageError: uvloop is asked for and not installed.
    """
    factory = None if loop == "asyncio" else _uvloop(must=loop == "uvloop")
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work()), "asyncio" if factory is None else "uvloop"


def _uvloop(*, must: bool) -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        if must:
            raise UsageError("uvloop is not installed: pip install 'pointsman[uvloop]'") from None
        return None
    return uvloop.new_event_loop
