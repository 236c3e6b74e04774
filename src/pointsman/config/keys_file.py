"""The file of API keys as a running router reads it: again within a second of a change, and never half.

A key that was revoked must stop working soon, and a mistake in the file must let nobody in. So what cannot be read or
understood leaves the keys as they were, with a complaint in the log; and once there have been keys, a file that
vanishes or is emptied does not open the door again: only a restart does, and then on loopback alone. A file that turns
up where there was none and cannot be used shuts the door, because somebody meant to lock it.

What a line means is decided in `core.key_lines`; who writes them is `operations.keys`.
"""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path
from typing import Final, NamedTuple

from pointsman.config.load import Loaded
from pointsman.config.values import printable
from pointsman.core.key_lines import Ledger, read
from pointsman.core.keys import NO_KEYS, KeyRing
from pointsman.model.errors import SettingsError
from pointsman.ports import Clock

LOOK_EVERY_S: Final = 1.0
"""Seconds between two looks at the file: a key that was revoked is good no longer than that."""

LARGEST_BYTES: Final = 67_108_864
"""A file above this size is none of keys: 64 MiB hold a quarter of a million."""

_PIECE_BYTES: Final = 1_048_576
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_SHUT: Final = KeyRing(required=True)
_MOST_NAMED: Final = 10

log = logging.getLogger("pointsman.keys")


class Found(NamedTuple):
    """A file of keys as it was at one moment.

    Attributes:
        seen: tells whether it has changed since.
        mode: its permissions.
        ledger: what it says.
    """

    seen: tuple[int, ...]
    mode: int
    ledger: Ledger


def keys_path(loaded: Loaded) -> Path:
    """Return where the keys are: beside the settings file, or, where there is none, the working directory."""
    return (loaded.path.parent if loaded.path else Path()) / loaded.settings.server.keys_file


def read_file(path: Path) -> Found:
    """Read a file of keys.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read.
        SettingsError: it cannot be understood; says where and what to do.
    """
    # Not to wait for a writer, where the path leads to a pipe.
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        return read_open(number, path)
    finally:
        os.close(number)


def read_open(number: int, path: Path) -> Found:
    """Read a file of keys that is open under a descriptor; `path` is for messages. Raises as `read_file`."""
    state = os.fstat(number)
    if not stat.S_ISREG(state.st_mode):
        raise _mistake(path, "is no file")
    if state.st_size > LARGEST_BYTES:
        raise _mistake(path, f"has {state.st_size:,} bytes, so it is no file of keys")
    pieces = []
    while piece := os.read(number, _PIECE_BYTES):
        pieces.append(piece)
    try:
        ledger = read(b"".join(pieces))
    except SettingsError as error:
        raise _mistake(path, error.mistakes[0]) from None
    return Found(_signature(state), stat.S_IMODE(state.st_mode), ledger)


def ring_of(path: Path) -> KeyRing:
    """Return the keys in a file, none where there is no file. Raises SettingsError: there is one that is of no use."""
    found = _find(path)
    return NO_KEYS if found is None else found.ledger.ring


def _find(path: Path) -> Found | None:
    try:
        return read_file(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _mistake(path, f"cannot be read: {error.strerror}") from error


def _signature(state: os.stat_result) -> tuple[int, ...]:
    return state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino, state.st_dev


def _mistake(path: Path, what: str) -> SettingsError:
    return SettingsError([printable(f"server.keys_file: {path}: {what}")])


class KeysFile:
    """The keys in force. Nothing is read before `ring` is called for the first time.

    Args:
        path: the file; where there is none, there are no keys.
        clock: how long ago it was looked at.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._now = clock.monotonic
        self._look_at = 0.0
        self._ring: KeyRing | None = None
        self._seen: tuple[int, ...] = ()
        self._complaint = ""

    def ring(self) -> KeyRing:
        """Return the keys in force; looks at the file at most once a second, and reads it only if it has changed.

        Raises:
            SettingsError: the first time only: there is a file, and it cannot be used.
        """
        if self._ring is None:
            self._ring = self._first()
        elif self._now() >= self._look_at:
            self._ring = self._again(self._ring)
        return self._ring

    def _first(self) -> KeyRing:
        self._look_at = self._now() + LOOK_EVERY_S
        found = _find(self.path)
        if found is None:
            return NO_KEYS
        if found.mode & _OTHERS:
            log.warning(
                "keys file %s is open to others (mode %04o): whoever can write it can let anybody in; chmod 600 it",
                self.path,
                found.mode,
            )
        self._seen = found.seen
        return found.ledger.ring

    def _again(self, ring: KeyRing) -> KeyRing:
        """Return the keys as they are now: the same ones where nothing has changed, or nothing better is known."""
        self._look_at = self._now() + LOOK_EVERY_S
        seen: tuple[int, ...] = ()
        try:
            seen = _signature(os.stat(self.path))
            if seen == self._seen:
                return ring
            found = read_file(self.path)
        except FileNotFoundError:
            self._seen = ()
            if ring.required:
                self._complain("is gone; the keys that were in it stay in force until a restart")
            return ring
        except OSError as error:
            return self._keep(ring, f"cannot be read: {error.strerror}")
        except SettingsError as error:
            self._seen = seen
            return self._keep(ring, str(error))
        self._seen = found.seen
        return self._take(ring, found.ledger.ring)

    def _take(self, old: KeyRing, new: KeyRing) -> KeyRing:
        if old.required and not new.required:
            self._complain("holds no key any more; those that were in it stay in force until a restart")
            return old
        self._complaint = ""
        log.info("API keys read again from %s: %s", self.path, _difference(old, new))
        return new

    def _keep(self, ring: KeyRing, why: str) -> KeyRing:
        if ring.required:
            self._complain(f"{why}; the keys read before stay in force")
            return ring
        self._complain(f"{why}; nobody is let in until it can be used, or until a restart without it")
        return _SHUT

    def _complain(self, what: str) -> None:
        """Log what is wrong, once for as long as it is the same."""
        if what != self._complaint:
            self._complaint = what
            log.error("keys file %s: %s", self.path, what)


def _difference(old: KeyRing, new: KeyRing) -> str:
    """Return in words what has changed, by the ids of keys, which are public."""
    before, after = {key.id: key for key in old}, {key.id: key for key in new}
    was_good = {key_id for key_id, key in before.items() if key.revoked is None}
    parts = (
        ("new", [key_id for key_id in after if key_id not in before]),
        ("revoked", [key_id for key_id, key in after.items() if key.revoked is not None and key_id in was_good]),
        ("gone", [key_id for key_id in before if key_id not in after]),
    )
    return "; ".join(f"{word} {_named(ids)}" for word, ids in parts if ids) or "nothing has changed"


def _named(ids: list[str]) -> str:
    more = len(ids) - _MOST_NAMED
    return ", ".join(ids[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
