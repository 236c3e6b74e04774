"""The local engine without an event loop: its verbs never wait."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def do(work: Coroutine[Any, Any, T]) -> T:
    """Return what an engine's verb returns; the local engine never awaits, so no loop is needed."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    work.close()
    raise AssertionError("a verb of the local engine waited")
