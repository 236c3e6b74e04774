"""The file of a rollout's record: one writer, whole lines, each on the disk before it is announced.

Decides how a line gets into the file whole or not at all, and that nobody else writes to it. What lines mean stands in
`core.rollout.record`. Every call may wait for the disk: call it from a thread, one call at a time.

A lock beside the file keeps a second process out; it says who holds it. What the lock does not keep out, a hand or a
program that does not ask, is found before each write: the file must still be the one that was opened, and as long.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from pathlib import Path
from typing import Final

from pointsman.model.errors import RecordUnusable

LONGEST_BYTES: Final = 67_108_864
"""A file above this size is no record but a mistake, and is not read into memory."""

_MODE: Final = 0o600


class RecordHeld(RecordUnusable):
    """Another process writes to this record."""


class RecordChanged(RecordUnusable):
    """Somebody else has changed the file while it was open."""


class RecordFile:
    """One file of lines.

    Args:
        path: where it is; directories on the way to it are made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._size = 0
        self._file = -1
        self._lock = -1
        self._torn = False

    @property
    def is_open(self) -> bool:
        """It is ours and can be written to."""
        return self._file >= 0

    def open(self, holder: str) -> bytes:
        """Take the file for this process; returns what is in it.

        Args:
            holder: who we are, for whoever finds the file taken.

        Raises:
            RecordHeld: another process has it; the text says which.
            RecordUnusable: it cannot be read or written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._take_lock(holder)
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
            there = os.fstat(self._file)
            self._size = there.st_size
            if not stat.S_ISREG(there.st_mode):
                raise OSError(0, "it is no file but a device or a pipe")
            if self._size > LONGEST_BYTES:
                raise OSError(0, f"it is {self._size} bytes long, which no record is")
            data = self.path.read_bytes()
            _sync_directory(self.path.parent)
        except OSError as error:
            self.close()
            raise RecordUnusable(f"{self.path}: cannot be used: {error.strerror or error}") from error
        return data

    def _take_lock(self, holder: str) -> None:
        path = self.path.with_name(self.path.name + ".lock")
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.pread(self._lock, 200, 0).decode("utf-8", "replace").strip() or "another process"
            self.close()
            raise RecordHeld(
                f"{self.path}: {who} holds it, and two that write to it would undo each other: stop one of them, or"
                " give each a record of its own with rollout.record"
            ) from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, holder.encode(), 0)

    def cut(self, good_bytes: int) -> None:
        """Take away what stands behind the whole lines.

        Raises:
            RecordUnusable: it could not be done.
        """
        try:
            os.ftruncate(self._file, good_bytes)
            os.fsync(self._file)
        except OSError as error:
            raise RecordUnusable(f"{self.path}: cannot be written: {error.strerror or error}") from error
        self._size = good_bytes

    def append(self, line: bytes) -> None:
        """Write a whole line and wait until it is on the disk.

        Raises:
            RecordChanged: somebody else has changed the file; nothing was written.
            RecordUnusable: it is not in the file; a later call may succeed.
        """
        try:
            if self._torn:
                os.ftruncate(self._file, self._size)
                self._torn = False
            self._check_same()
            done = os.write(self._file, line)
            if done != len(line):
                raise OSError(0, f"only {done} of {len(line)} bytes found room")
            os.fsync(self._file)
        except OSError as error:
            self._cut_back()
            raise RecordUnusable(f"{self.path}: cannot be written: {error.strerror or error}") from error
        self._size += len(line)

    def _cut_back(self) -> None:
        """Take a part of a line away again. Where that fails, the next call does it first; so does the next start."""
        self._torn = True
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self._size)
            self._torn = False

    def _check_same(self) -> None:
        ours = os.fstat(self._file)
        try:
            there = self.path.stat()
        except FileNotFoundError:
            raise RecordChanged(f"{self.path}: somebody has taken it away while this router wrote to it") from None
        if (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino):
            raise RecordChanged(f"{self.path}: somebody has put another file in its place")
        if ours.st_size != self._size:
            text = f"it is {ours.st_size} bytes long, and this router left it with {self._size}"
            raise RecordChanged(f"{self.path}: somebody else has written to it: {text}")

    def close(self) -> None:
        """Let it go; idempotent."""
        for file in (self._file, self._lock):
            if file >= 0:
                os.close(file)
        self._file = self._lock = -1


def _sync_directory(path: Path) -> None:
    """Let a file that was just made outlive a loss of power."""
    directory = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def holder() -> str:
    """Return who this process is, for others to read."""
    return f"process {os.getpid()} on {os.uname().nodename}"
