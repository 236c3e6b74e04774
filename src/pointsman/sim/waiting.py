"""Where a task waits, in one line: its name and the chain of coroutines down to the one that is suspended.

Reads tasks only; whether a waiting task is a fault is decided by the caller (a deadlock, a leak, a watchdog).
`Task.get_stack()` shows only the outermost frame of a suspended coroutine, hence the walk along `cr_await`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

FRAMES_SHOWN_MAX = 6
TASKS_SHOWN_MAX = 20


def describe_task(task: asyncio.Task[Any]) -> str:
    """Say where a task waits.

    Args:
        task: a task of any loop; a finished one has no frames left and is described by its name alone.

    Returns:
        For example `worker-3: serve (fleet.py:41) > Queue.get (queues.py:158)`, outermost call first; only
        the innermost six frames are shown. A task that awaits another task ends with `> task 'name'`.
    """
    places = _await_chain(task.get_coro())
    awaited = getattr(task, "_fut_waiter", None)
    if isinstance(awaited, asyncio.Task):
        places.append(f"task {awaited.get_name()!r}")
    if len(places) > FRAMES_SHOWN_MAX:
        places = ["...", *places[-FRAMES_SHOWN_MAX:]]
    return f"{task.get_name()}: {' > '.join(places) or 'no frame'}"


def describe_tasks(tasks: Iterable[asyncio.Task[Any]]) -> str:
    """Describe tasks one a line, indented, in the order given; after twenty lines only their number.

    Returns:
        Text that begins with a line break, made to follow a colon; ` none` if there are no tasks.
    """
    lines = [describe_task(task) for task in tasks]
    hidden = len(lines) - TASKS_SHOWN_MAX
    if hidden > 0:
        lines[TASKS_SHOWN_MAX:] = [f"... and {hidden} more"]
    return "".join(f"\n  {line}" for line in lines) or " none"


def _await_chain(awaited: Any) -> list[str]:
    """Walk from the outermost coroutine to what it waits for; only coroutines and generators have frames."""
    places: list[str] = []
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is not None:
            code = frame.f_code
            name = code.co_qualname.replace("<locals>.", "")
            places.append(f"{name} ({PurePath(code.co_filename).name}:{frame.f_lineno})")
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    return places
