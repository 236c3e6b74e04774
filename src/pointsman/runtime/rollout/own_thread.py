"""A thread that nobody else uses, so that a rollback waits for nobody else's work.

The event loop's own threads are few and everybody's: look-ups of names that hang while a name server is gone take them
all, and that is a moment at which somebody pulls the kill switch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class OwnThread:
    """Runs one call after the other in a thread, which is started by the first.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._threads: ThreadPoolExecutor | None = None

    async def __call__(self, call: Callable[[*Ts], T], *args: *Ts) -> T:
        """Return what `call` returns. Cancelling leaves the thread to it."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(1, self._name)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)

    def close(self) -> None:
        """Let the thread go, which ends what it has begun; idempotent, and a later call starts another one."""
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=False)
