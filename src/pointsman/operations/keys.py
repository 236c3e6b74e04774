"""Making and revoking API keys: the one place that asks the operating system for secrets, and the one that writes the
file of keys.

Works on the file alone; a router that runs reads it again within a second. Two that write at once wait for each other,
and what one has written is on the disk before anybody is told.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from pointsman.config.keys_file import read_open, ring_of
from pointsman.core import key_lines
from pointsman.core.key_lines import Ledger
from pointsman.core.keys import ID_BYTES, SECRET_BYTES, KeyRing, compose, digest_of
from pointsman.model.errors import NotFound, UsageError
from pointsman.model.keys import ApiKey

_FILE_MODE: Final = 0o600
_DIRECTORY_MODE: Final = 0o700


class NewKey(NamedTuple):
    """A key that was just made.

    Attributes:
        text: the whole key, which stands nowhere else.
        key: what is kept of it.
        is_first: there was none before, so from now on each request needs one.
    """

    text: str
    key: ApiKey
    is_first: bool


def create(path: Path, *, name: str, client: str, group: str, expires: float | None, now_wall: float) -> NewKey:
    """Make a key and write it down.

    Args:
        path: the file of keys; made, with its directory, where there is none.
        name: what its owner calls it.
        client: whose limits, fairness and accounting its messages fall under.
        group: group of clients for budgets, or empty.
        expires: Unix seconds from which on it is refused, or None.
        now_wall: Unix seconds.

    Raises:
        UsageError: a name that cannot be one, or an end that is past already.
        OSError, SettingsError: the file cannot be read, understood or written; nothing has changed.
    """
    for what, value in (("name", name), ("client", client), *((("group", group),) if group else ())):
        if not key_lines.is_name(value):
            raise UsageError(f"{what}: got {value[:40]!r}, expected 1 to 64 letters, digits and . _ : @ -")
    if expires is not None and expires <= now_wall:
        raise UsageError("the key would have expired before it was made; name a time in the future")
    with _opened(path) as file:
        key_id, text = _fresh(file.ring)
        key = ApiKey(
            id=key_id,
            name=name,
            client=client,
            group=group,
            created=round(now_wall, 3),
            expires=None if expires is None else round(expires, 3),
            digest=digest_of(text),
        )
        file.append(key_lines.created_line(key))
        return NewKey(text, key, not file.ring.required)


def _fresh(ring: KeyRing) -> tuple[str, str]:
    """Return id and text of a key whose id is not taken."""
    while True:
        key_id, text = compose(secrets.token_bytes(ID_BYTES), secrets.token_bytes(SECRET_BYTES))
        if ring.get(key_id) is None:
            return key_id, text


def revoke(path: Path, key_id: str, now_wall: float) -> ApiKey:
    """Revoke a key for good; returns it. One that was revoked before stays as it is.

    Raises:
        NotFound: there is no such key.
        OSError, SettingsError: the file cannot be read, understood or written; nothing has changed.
    """
    if ring_of(path).get(key_id) is None:
        raise NotFound(f"there is no key {key_id[:16]!r} in {path}; `pointsman keys ls` lists them")
    with _opened(path) as file:
        key = file.ring.get(key_id)
        if key is None:
            raise NotFound(f"key {key_id} has just gone from {path}")
        if key.revoked is None:
            file.append(key_lines.revoked_line(key_id, round(now_wall, 3)))
            return msgspec.structs.replace(key, revoked=now_wall)
        return key


class _File:
    """A file of keys that nobody else writes at the moment."""

    def __init__(self, number: int, ledger: Ledger) -> None:
        self._number = number
        self._ledger = ledger
        self.ring = ledger.ring

    def append(self, line: bytes) -> None:
        """Add a line, in one write, and wait until it is on the disk; on failure nothing of it stays."""
        number, end = self._number, self._ledger.whole_bytes
        data = line if self._ledger.ends_line else b"\n" + line
        os.ftruncate(number, end)
        try:
            if os.write(number, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(number)
        except OSError:
            os.ftruncate(number, end)
            raise


@contextmanager
def _opened(path: Path) -> Iterator[_File]:
    """Open the file of keys for writing, alone."""
    path.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
    number = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        found = read_open(number, path)
        _sync_directory(path.parent)
        yield _File(number, found.ledger)
    finally:
        os.close(number)


def _sync_directory(path: Path) -> None:
    """Let the file's name outlast a power cut as its content does."""
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)
