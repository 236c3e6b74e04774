"""The disk: the directories that the router writes to have room, have inodes, and can be written to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from pointsman.model.health import Finding, failed, passed, warned, worst
from pointsman.runtime.health.premises import Alone
from pointsman.runtime.health.threads import OneThread

FEW_INODES_SHARE: Final = 0.01
_NEAR: Final = 2.0
"""Less than so many times the least that must be free is a warning."""

_TRIAL: Final = ".pointsman-health"
_SAY: Final = "make room or name another place, see health.min_free_bytes"


class DiskCheck(Alone):
    """Looks at directories, in a thread: a network disk that is gone may block for ever.

    Args:
        directories: says which are in use now, in the same thread; one that is not there yet counts as its nearest
            parent.
        min_free_bytes: less fails.
    """

    kind = "disk"

    def __init__(self, directories: Callable[[], Iterable[Path]], min_free_bytes: int) -> None:
        self._directories = directories
        self._min_free_bytes = min_free_bytes
        self._thread = OneThread()

    def probe(self) -> Finding:
        """Nothing: only I/O could tell."""
        return passed("looked at by deep checks only")

    async def look(self) -> Finding:
        """Ask the operating system, and write a byte."""
        return await self._thread.look(self._worst)

    def _worst(self) -> Finding:
        findings = [self._look_at(directory) for directory in sorted(set(self._directories()))]
        if not findings:
            return passed("nothing is written to a disk")
        status = worst(finding.status for finding in findings)
        # Of those as bad as that, the one with the least room.
        return min((one for one in findings if one.status is status), key=lambda one: one.observed or 0.0)

    def _look_at(self, directory: Path) -> Finding:
        try:
            place = _nearest(directory)
            found = os.statvfs(place)
            _write(place)
        except OSError as error:
            return failed(f"{directory} cannot be written: {error.strerror or error}; {_SAY}")
        free, least = found.f_bavail * found.f_frsize, self._min_free_bytes
        if free < least:
            return failed(f"{directory} has too little room: {_SAY}", free, "bytes", least)
        if found.f_files and found.f_favail < FEW_INODES_SHARE * found.f_files:
            share = found.f_favail / found.f_files
            return failed(f"{directory} has few inodes left: remove small files", share, "share", FEW_INODES_SHARE)
        if free < _NEAR * least:
            return warned(f"{directory} will have too little room soon: {_SAY}", free, "bytes", least)
        return passed(f"{directory} has room and can be written", free, "bytes", least)


def _nearest(directory: Path) -> Path:
    """Return the directory, or the nearest one above it that is there."""
    return next((place for place in (directory, *directory.parents) if place.exists()), Path())


def _write(place: Path) -> None:
    """Write a byte and take it away again. Raises OSError."""
    trial = place / f"{_TRIAL}-{os.getpid()}"
    try:
        trial.write_bytes(b"\n")
    finally:
        trial.unlink(missing_ok=True)
