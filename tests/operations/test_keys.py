"""Making and revoking keys: each is on the disk before anybody is told, and what fails leaves nothing behind."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pointsman.config.keys_file import ring_of
from pointsman.core.keys import KeyCounts
from pointsman.model.errors import NotFound, SettingsError, UsageError
from pointsman.model.keys import ApiKey, KeyFault
from pointsman.operations.keys import NewKey, create, revoke

NOW = 1_800_000_000.1234


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the keys will be."""
    return tmp_path / "var" / "deep" / "keys.jsonl"


def make(path: Path, name: str = "ci", **fields: Any) -> NewKey:
    """Make a key."""
    return create(path, **{"name": name, "client": name, "group": "", "expires": None, "now_wall": NOW, **fields})


def test_a_key_that_was_made_counts(path: Path) -> None:
    """With everything that was said of it; the file has its hash and nothing of its secret."""
    new = make(path, client="team-a", group="research", expires=NOW + 60.0)
    found = ring_of(path).find(new.text.encode(), NOW)
    assert found == new.key
    assert isinstance(found, ApiKey)
    assert (found.name, found.client, found.group) == ("ci", "team-a", "research")
    assert found.created == pytest.approx(NOW, abs=0.001)
    assert found.expires == pytest.approx(NOW + 60.0, abs=0.001)
    assert new.text.encode() not in path.read_bytes()
    assert new.text[12:].encode() not in path.read_bytes()


def test_no_two_keys_are_alike(path: Path) -> None:
    """Id and secret come from the operating system."""
    made = [make(path) for _ in range(20)]
    assert len({new.text for new in made}) == len({new.key.id for new in made}) == 20
    assert [new.is_first for new in made] == [True] + [False] * 19


def test_an_id_that_is_taken_is_not_given_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the operating system repeats itself."""
    given = iter([b"aaaaa", b"a" * 35, b"aaaaa", b"b" * 35, b"bbbbb", b"c" * 35])
    monkeypatch.setattr(secrets, "token_bytes", lambda count: next(given))
    first, second = make(path), make(path)
    assert first.key.id != second.key.id
    assert len(ring_of(path)) == 2


def test_only_its_owner_can_open_the_file(path: Path) -> None:
    """And the directory that was made for it, whatever the process would allow."""
    before = os.umask(0)
    try:
        make(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_revoked_key_counts_no_more(path: Path) -> None:
    """Others do; revoking it again changes nothing."""
    gone, kept = make(path), make(path)
    assert revoke(path, gone.key.id, NOW + 1.0).revoked == pytest.approx(NOW + 1.0, abs=0.001)
    assert ring_of(path).find(gone.text.encode(), NOW) is KeyFault.REVOKED
    assert ring_of(path).find(kept.text.encode(), NOW) == kept.key
    before = path.read_bytes()
    assert revoke(path, gone.key.id, NOW + 99.0).revoked == pytest.approx(NOW + 1.0, abs=0.001)
    assert path.read_bytes() == before


def test_an_unknown_key_cannot_be_revoked(path: Path) -> None:
    """The command to look it up is named, and no file is made for it."""
    with pytest.raises(NotFound, match=r"there is no key 'nothing'.*pointsman keys ls"):
        revoke(path, "nothing", NOW)
    assert not path.exists()
    assert not path.parent.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "name: got ''"),
        ({"name": "a b"}, "name: got 'a b'"),
        ({"client": "a/b"}, "client: got 'a/b'"),
        ({"group": "x" * 65}, "group: got 'xxx"),
        ({"expires": NOW}, "expired before it was made"),
    ],
)
def test_what_cannot_be_a_key_is_refused_and_nothing_is_written(path: Path, fields: dict[str, Any], words: str) -> None:
    """Not even the directory."""
    with pytest.raises(UsageError, match=words):
        make(path, **fields)
    assert not path.parent.exists()


def test_a_write_that_never_ended_is_taken_away_before_the_next(path: Path) -> None:
    """Else the next line would be the rest of it, and the file damaged for good."""
    first = make(path)
    with path.open("ab") as file:
        file.write(b'{"do":"create","v":1,"id":"aaa')
    second = make(path)
    assert [key.id for key in ring_of(path)] == [first.key.id, second.key.id]
    assert path.read_bytes().count(b"\n") == 2


def test_a_last_line_without_its_end_is_ended(path: Path) -> None:
    """As an editor may leave it."""
    first = make(path)
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    revoke(path, first.key.id, NOW)
    assert ring_of(path).find(first.text.encode(), NOW) is KeyFault.REVOKED


def test_a_damaged_file_is_left_as_it_is(path: Path) -> None:
    """Whoever adds to it would make it worse."""
    make(path)
    with path.open("ab") as file:
        file.write(b"what is this\n")
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="line 2"):
        make(path)
    assert path.read_bytes() == before


def _half(number: int, data: bytes) -> int:
    return os_write(number, data[: len(data) // 2])


def _none(number: int, data: bytes) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def _unsynced(number: int) -> None:
    if stat.S_ISREG(os.fstat(number).st_mode):
        raise OSError(errno.EIO, "Input/output error")


def _unsynced_folder(number: int) -> None:
    if stat.S_ISDIR(os.fstat(number).st_mode):
        raise OSError(errno.EIO, "Input/output error")


os_write = os.write


@pytest.mark.parametrize(
    ("call", "fails", "words"),
    [
        ("write", _half, "No space left"),
        ("write", _none, "No space left"),
        ("fsync", _unsynced, "Input/output error"),
        ("fsync", _unsynced_folder, "Input/output error"),
    ],
    ids=["half", "none", "fsync", "folder"],
)
@pytest.mark.parametrize("there_is_one", [True, False])
def test_what_cannot_be_written_leaves_nothing_behind(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str, fails: Callable[..., Any], words: str, there_is_one: bool
) -> None:
    """A first key that nobody knows would lock everybody out."""
    if there_is_one:
        make(path)
    before = ring_of(path).counts(NOW)
    with monkeypatch.context() as patched:
        patched.setattr(os, call, fails)
        with pytest.raises(OSError, match=words):
            make(path)
    assert ring_of(path).counts(NOW) == before
    assert ring_of(path).required == there_is_one
    make(path)
    assert ring_of(path).counts(NOW) == KeyCounts(before.usable + 1, 0, 0)


def test_many_at_once_lose_nothing(path: Path) -> None:
    """Two processes, or threads as here, wait for each other; every key that was shown counts."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: make(path, f"n{number}"), range(40)))
    ring = ring_of(path)
    assert all(ring.find(new.text.encode(), NOW) == new.key for new in made)
    assert sum(new.is_first for new in made) == 1
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda new: revoke(path, new.key.id, NOW), made[:20]))
    assert ring_of(path).counts(NOW) == KeyCounts(usable=20, expired=0, revoked=20)
