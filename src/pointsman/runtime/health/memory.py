"""What is remembered of past checks: in memory always, and in the journal where there is one.

A journal that cannot be read or written costs its history, which is said, and nothing else: health goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pointsman.core.health_history import History
from pointsman.model.health import HealthMark
from pointsman.ports import Clock
from pointsman.runtime.health.journal import Journal
from pointsman.runtime.tasks import Tasks

log = logging.getLogger("pointsman.health")

_MOST_UNWRITTEN: Final = 10_000
_SLACK_LINES: Final = 1_000
"""The journal is written anew when it has twice the lines that are remembered, and these."""


class Memory:
    """A history and its journal. Nothing touches the disk before `open`.

    Args:
        history: what is remembered.
        path: of the journal.
        clock: time.
        tasks: writes beside everything else.

    Attributes:
        trouble: what is wrong with the journal, for people; empty while all is well.
    """

    def __init__(self, history: History, path: Path, clock: Clock, tasks: Tasks) -> None:
        self.history = history
        self.trouble = ""
        self._journal = Journal(path)
        self._clock = clock
        self._tasks = tasks
        self._unwritten: list[HealthMark] = []
        self._writing = False

    async def open(self) -> None:
        """Remember what the journal says of earlier runs, and write to it from now on. Never raises for a bad file."""
        journal = self._journal
        try:
            marks = await asyncio.to_thread(journal.open)
        except BlockingIOError:
            self._lost("another process keeps its checks there: give each router a health.journal of its own")
            return
        except OSError as error:
            self._lost(f"cannot be used: {error.strerror or error}; the history of health begins anew, in memory")
            return
        for mark in marks:
            self.history.add(mark)
        self.history.forget(self._clock.wall())
        if journal.unreadable:
            self._lost(f"{journal.unreadable:,} lines could not be read, and are lost")
        await self._compact()

    def add(self, marks: Iterable[HealthMark]) -> None:
        """Write down checks that have been remembered, soon."""
        if not self._journal.is_open:
            return
        self._unwritten += marks
        del self._unwritten[:-_MOST_UNWRITTEN]
        if not self._writing and self._unwritten:
            self._writing = True
            self._tasks.spawn(self._write(), "health journal", self._written)

    def _written(self) -> None:
        self._writing = False

    async def _write(self) -> None:
        while self._unwritten:
            marks, self._unwritten = self._unwritten, []
            try:
                await asyncio.to_thread(self._journal.append, marks)
            except OSError as error:
                self._lost(f"cannot be written: {error.strerror or error}; checks are remembered in memory only")
                return
        await self._compact()

    async def _compact(self) -> None:
        if self._journal.unreadable or self._journal.lines > 2 * len(self.history) + _SLACK_LINES:
            marks = sorted(self.history, key=lambda mark: mark.at_wall)
            try:
                await asyncio.to_thread(self._journal.rewrite, marks)
                self._journal.unreadable = 0
            except OSError as error:
                self._lost(f"cannot be written anew: {error.strerror or error}")

    def _lost(self, why: str) -> None:
        trouble = f"{self._journal.path}: {why}"
        if trouble != self.trouble:
            self.trouble = trouble
            log.warning("health journal %s", trouble)

    def close(self) -> None:
        """Write what is left, and let the journal go; idempotent."""
        try:
            self._journal.append(self._unwritten)
        except OSError as error:
            self._lost(f"cannot be written: {error.strerror or error}; the last checks are lost")
        self._unwritten = []
        self._journal.close()
