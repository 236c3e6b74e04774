"""Looks that the operating system may block for ever, as at a disk that is gone: in a thread, one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pointsman.model.health import Finding, failed


class OneThread:
    """Runs one look in a thread. A look that hangs cannot be stopped, so none is started beside it."""

    def __init__(self) -> None:
        self._running: asyncio.Future[Finding] | None = None

    async def look(self, work: Callable[[], Finding]) -> Finding:
        """Return what `work` found, or that an earlier one still hangs. Cancelling leaves the thread to itself."""
        if self._running is not None and not self._running.done():
            return failed("an earlier look still hangs in the operating system: is a network disk gone?")
        self._running = asyncio.get_running_loop().run_in_executor(None, work)
        return await asyncio.shield(self._running)
