"""The file that keeps past checks over a restart: a line of JSON for each, appended, and written anew in short.

It belongs to one process: a lock beside it keeps a second one out. What is remembered while it runs, and for how long,
is decided in `core.health_history`. Every method may block and is called in a thread; they wait for each other.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from pointsman.model.health import HealthMark

_MODE: Final = 0o600
_MARK: Final = msgspec.json.Decoder(HealthMark)


class Journal:
    """One file of past checks.

    Args:
        path: where it is; directories on the way to it are made.

    Attributes:
        lines: in the file now.
        unreadable: lines that could not be read when it was opened, but for a last one that was cut short.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self.unreadable = 0
        self._file = -1
        self._lock = -1
        self._size = 0
        self._one_at_a_time = threading.Lock()

    @property
    def is_open(self) -> bool:
        """It is ours and can be written to."""
        return self._file >= 0

    def open(self) -> list[HealthMark]:
        """Take the file for this process and return what can be read of it.

        Raises:
            OSError: another process has it, or it cannot be read or written.
        """
        with self._one_at_a_time:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._take_lock()
                self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
                return self._read()
            except OSError:
                self._release()
                raise

    def _take_lock(self) -> None:
        name = self.path.with_name(self.path.name + ".lock")
        self._lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _read(self) -> list[HealthMark]:
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            # A line that was cut short, by the end of its process or of the disk, is no line.
            os.ftruncate(self._file, whole)
        self._size, marks = whole, []
        for line in data[:whole].splitlines():
            try:
                marks.append(_MARK.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError):
                self.unreadable += 1
        self.lines = len(marks) + self.unreadable
        return marks

    def append(self, marks: Iterable[HealthMark]) -> None:
        """Add lines, all of them or none. Raises OSError."""
        lines = [msgspec.json.encode(mark) + b"\n" for mark in marks]
        data = b"".join(lines)
        with self._one_at_a_time:
            if self._file < 0:
                return
            done = os.write(self._file, data)
            if done != len(data):
                with contextlib.suppress(OSError):
                    os.ftruncate(self._file, self._size)
                raise OSError(0, f"only {done} of {len(data)} bytes found room", str(self.path))
            self._size += done
            self.lines += len(lines)

    def rewrite(self, marks: Iterable[HealthMark]) -> None:
        """Put a file of these lines in the place of what there is, in one step. Raises OSError; nothing is lost."""
        lines = [msgspec.json.encode(mark) + b"\n" for mark in marks]
        fresh = self.path.with_name(self.path.name + ".new")
        with self._one_at_a_time:
            if self._file < 0:
                return
            file = os.open(fresh, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
            try:
                with os.fdopen(file, "wb", closefd=False) as stream:
                    stream.writelines(lines)
                os.fsync(file)
                os.replace(fresh, self.path)
            except OSError:
                os.close(file)
                raise
            os.close(self._file)
            self._file, self._size, self.lines = file, sum(map(len, lines)), len(lines)

    def close(self) -> None:
        """Let it go; idempotent."""
        with self._one_at_a_time:
            self._release()

    def _release(self) -> None:
        for file in (self._file, self._lock):
            if file >= 0:
                os.close(file)
        self._file = self._lock = -1
