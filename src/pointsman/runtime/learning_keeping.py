"""Keeps what was learnt from feedback over a restart: reads it when a model comes into use, writes it as it grows."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Final

import msgspec

from pointsman.core.classify.delta import Delta
from pointsman.core.classify.lessons import Lessons
from pointsman.ports import Clock
from pointsman.runtime.learning_file import SUFFIX, LearningFile, Learnt
from pointsman.runtime.tasks import Tasks

log = logging.getLogger("pointsman.learning")

SAVE_EVERY_S: Final = 5.0
"""Most that a process that is killed forgets of what it was told."""


class Keeping:
    """The file of the lessons in use, one a model. Does nothing until `begin`.

    Attributes:
        is_saved: a restart knows all that is known now.
        alarm: what is wrong with the file, or empty.
    """

    def __init__(self, clock: Clock) -> None:
        self.is_saved = False
        self.alarm = ""
        self._clock = clock
        # Stands until the model, or the process, is another one.
        self._lost = ""
        self._keeps = False
        self._lessons: Lessons | None = None
        self._fingerprint = ""
        self._directory = Path()
        self._file: LearningFile | None = None

    def begin(self) -> None:
        """Read what was learnt before, and let the next start know what is learnt from now on."""
        self._keeps = True
        self._recall()

    def use(self, lessons: Lessons | None, fingerprint: str, directory: Path) -> None:
        """Keep these lessons from now on, and those before as they are now.

        Args:
            lessons: beside the model in use; None where rules decide.
            fingerprint: of the model.
            directory: of the file.
        """
        self.save()
        self._lessons, self._fingerprint, self._directory = lessons, fingerprint, directory
        self._recall()

    def changed(self) -> None:
        """Something was learnt, or forgotten."""
        self.is_saved = False

    def open(self, tasks: Tasks) -> None:
        """Write what is learnt from now on, until the tasks are closed."""
        tasks.spawn(self._run(), "learning", self.save)

    def save(self) -> None:
        """Write what is not written yet."""
        if self._file is not None and not self.is_saved:
            self.is_saved = True
            self._told(_written(self._file, self._encoded()))

    async def _run(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + SAVE_EVERY_S)
            if self._file is not None and not self.is_saved:
                self.is_saved = True
                self._told(await asyncio.to_thread(_written, self._file, self._encoded()))

    def _told(self, trouble: str) -> None:
        if trouble:
            self.is_saved = False
            if trouble != self.alarm:
                log.error("%s", trouble)
        self.alarm = trouble or self._lost

    def _encoded(self) -> bytes:
        lessons = self._lessons
        if lessons is None:
            return b""
        delta, standing = lessons.delta, lessons.trial.now
        learnt = Learnt(fingerprint=self._fingerprint, width=delta.width, standing=standing, cells=delta.cells)
        return msgspec.json.encode(learnt)

    def _recall(self) -> None:
        lessons, self._file, self._lost = self._lessons, None, ""
        self.is_saved, self.alarm = False, ""
        if not self._keeps or lessons is None:
            return
        self._file = file = LearningFile(self._directory / f"{self._fingerprint}{SUFFIX}")
        try:
            found = file.read(self._fingerprint, lessons.delta.width)
        except ValueError as error:
            self._lost = f"{file.path}: what was learnt from feedback is lost, and the model decides alone: {error}"
            log.error("%s", self._lost)
            found = None
        if found is not None:
            delta = Delta(found.width)
            delta.restore(found.cells)
            lessons.restore(delta, found.standing)
        self.is_saved = True
        self.alarm = self._lost


def _written(file: LearningFile, data: bytes) -> str:
    """Write the file; returns what went wrong, or nothing."""
    try:
        file.write(data)
    except OSError as error:
        reason = error.strerror or str(error)
        return f"{file.path}: what is learnt from feedback cannot be written, and a restart forgets it: {reason}"
    return ""
