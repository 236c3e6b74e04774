"""A file that remembers, such as what was spent: append-only lines.

Decides how a line gets into the file whole, or not at all, and that nobody else writes to it. What lines mean stands in
`core.spend_log` and `core.slo_lines`.

Each line is handed to the operating system by one `write` before the call returns, so it survives the death of the
process, by SIGKILL too. It is not forced to the disk: a machine that loses its power may lose the last seconds. A write
that fails leaves no half line behind, and raises. `rewrite` puts a shorter file in its place in one step, which is
forced to the disk. A lock beside the file keeps a second process out.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable
from pathlib import Path

from pointsman.model.errors import LedgerUnusable

_MODE = 0o600


class Ledger:
    """One file of lines.

    Args:
        path: where it is; directories on the way to it are made.
        key: of the settings, that says where; for errors.
    """

    def __init__(self, path: Path, key: str = "costs.ledger") -> None:
        self.path = path
        self._key = key
        self.size = 0
        self._file = -1
        self._lock = -1
        self._torn = False

    @property
    def is_open(self) -> bool:
        """It is ours and can be written to."""
        return self._file >= 0

    def open(self) -> bytes:
        """Take the file for this process; returns what is in it.

        Raises:
            LedgerUnusable: another process has it, or it cannot be read or written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
            self.size = os.fstat(self._file).st_size
            return self.path.read_bytes()
        except OSError as error:
            self.close()
            raise self._unusable("cannot be used", error) from error

    def _take_lock(self) -> None:
        path = self.path.with_name(self.path.name + ".lock")
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise LedgerUnusable(
                f"{self.path}: another process has it, and neither would know what the other wrote: give each router a"
                f" file of its own with {self._key}"
            ) from None

    def append(self, lines: bytes) -> None:
        """Write whole lines.

        Raises:
            LedgerUnusable: they are not in the file, and no part of them counts; a later call may succeed.
        """
        try:
            if self._torn:
                os.ftruncate(self._file, self.size)
                self._torn = False
            done = os.write(self._file, lines)
        except OSError as error:
            raise self._unusable("cannot be written", error) from error
        if done != len(lines):
            self._torn = True
            self._cut_back()
            raise self._unusable("cannot be written", OSError(0, f"only {done} of {len(lines)} bytes found room"))
        self.size += done

    def _cut_back(self) -> None:
        """Take a part of a line away again. Where that fails, the next call does it first; so does the next start."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self.size)
            self._torn = False

    def rewrite(self, lines: Iterable[bytes]) -> None:
        """Put a file of these lines in the place of what there is, in one step.

        Raises:
            LedgerUnusable: it could not be done; the old file is still there and in use.
        """
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            file = os.open(fresh, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
        except OSError as error:
            raise self._unusable("cannot be written anew", error) from error
        try:
            with os.fdopen(file, "wb", closefd=False) as stream:
                stream.writelines(lines)
            os.fsync(file)
            size = os.fstat(file).st_size
            os.replace(fresh, self.path)
        except OSError as error:
            os.close(file)
            raise self._unusable("cannot be written anew", error) from error
        os.close(self._file)
        self._file, self.size, self._torn = file, size, False

    def close(self) -> None:
        """Let it go; idempotent."""
        for file in (self._file, self._lock):
            if file >= 0:
                os.close(file)
        self._file = self._lock = -1

    def _unusable(self, what: str, error: OSError) -> LedgerUnusable:
        return LedgerUnusable(f"{self.path}: {what}: {error.strerror or error}; see {self._key}")
