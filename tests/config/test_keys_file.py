"""The file of keys as a running router reads it: soon, rarely, and never so that a mistake lets somebody in."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.config import keys_file
from pointsman.config.keys_file import LOOK_EVERY_S, KeysFile, keys_path, read_file, ring_of
from pointsman.config.load import Loaded
from pointsman.core.key_lines import created_line, revoked_line
from pointsman.core.keys import ID_BYTES, NO_KEYS, SECRET_BYTES, KeyRing, compose, digest_of
from pointsman.model.errors import SettingsError
from pointsman.model.keys import ApiKey, KeyFault
from pointsman.model.settings import ServerSettings, Settings
from pointsman.testing.clock import FakeClock

NOW = 1_800_000_000.0


def made(number: int) -> tuple[bytes, ApiKey]:
    """Return a whole key, and what is kept of it."""
    key_id, text = compose(bytes([number] * ID_BYTES), bytes([number] * SECRET_BYTES))
    return text.encode(), ApiKey(id=key_id, name="n", client=f"c{number}", digest=digest_of(text), created=1.0)


ONE, TWO = made(1), made(2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the keys are."""
    return tmp_path / "keys.jsonl"


@pytest.fixture
def clock() -> FakeClock:
    """Time that the test moves."""
    return FakeClock()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Each file that is read whole."""
    done: list[Path] = []
    read = keys_file.read_file

    def was_read(of: Path) -> keys_file.Found:
        done.append(of)
        return read(of)

    monkeypatch.setattr(keys_file, "read_file", was_read)
    return done


def write(path: Path, *lines: bytes) -> None:
    """Write a file of keys that nobody else may read."""
    path.write_bytes(b"".join(lines))
    path.chmod(0o600)


def lets_in(ring: KeyRing, *keys: tuple[bytes, ApiKey]) -> list[bool]:
    """Say for each key whether it counts."""
    return [isinstance(ring.find(text, NOW), ApiKey) for text, _ in keys]


def test_no_file_means_no_keys(path: Path, clock: FakeClock) -> None:
    """Nor does an empty one."""
    assert KeysFile(path, clock).ring() is NO_KEYS
    path.touch(0o600)
    assert not KeysFile(path, clock).ring().required
    assert not ring_of(path).required


def test_a_key_counts_within_a_second_of_being_written(path: Path, clock: FakeClock) -> None:
    """And the first one shuts the door on everybody else."""
    keys = KeysFile(path, clock)
    assert not keys.ring().required
    write(path, created_line(ONE[1]))
    clock.advance(LOOK_EVERY_S)
    assert keys.ring().required
    assert lets_in(keys.ring(), ONE, TWO) == [True, False]
    assert LOOK_EVERY_S <= 1.0


def test_a_revoked_key_stops_counting_within_a_second(path: Path, clock: FakeClock) -> None:
    """Not before the next look, and not after it."""
    write(path, created_line(ONE[1]), created_line(TWO[1]))
    keys = KeysFile(path, clock)
    assert lets_in(keys.ring(), ONE, TWO) == [True, True]
    with path.open("ab") as file:
        file.write(revoked_line(ONE[1].id, NOW))
    clock.advance(LOOK_EVERY_S - 0.001)
    assert lets_in(keys.ring(), ONE, TWO) == [True, True]
    clock.advance(0.001)
    assert keys.ring().find(ONE[0], NOW) is KeyFault.REVOKED
    assert lets_in(keys.ring(), ONE, TWO) == [False, True]


def test_it_is_looked_at_once_a_second_and_read_only_if_it_has_changed(
    path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, reads: list[Path]
) -> None:
    """However many requests there are."""
    write(path, created_line(ONE[1]))
    keys = KeysFile(path, clock)
    keys.ring()
    reads.clear()
    looks = []
    stat = os.stat

    def looked(of: Path) -> os.stat_result:
        looks.append(of)
        return stat(of)

    monkeypatch.setattr(os, "stat", looked)
    first = keys.ring()
    for _ in range(100):
        assert keys.ring() is first
    assert looks == []
    for second in range(1, 4):
        clock.advance(LOOK_EVERY_S)
        assert [keys.ring() is first for _ in range(10)] == [True] * 10
        assert len(looks) == second
    assert reads == []
    write(path, created_line(ONE[1]), created_line(TWO[1]))
    clock.advance(LOOK_EVERY_S)
    assert keys.ring() is not first
    assert len(reads) == 1


def test_a_file_put_in_the_place_of_another_is_noticed(path: Path, clock: FakeClock) -> None:
    """Of the same size and age: as tools do that write beside it and rename."""
    write(path, created_line(ONE[1]))
    keys = KeysFile(path, clock)
    keys.ring()
    state = path.stat()
    beside = path.with_suffix(".new")
    write(beside, created_line(TWO[1]))
    os.utime(beside, ns=(state.st_atime_ns, state.st_mtime_ns))
    beside.rename(path)
    assert path.stat().st_size == state.st_size
    clock.advance(LOOK_EVERY_S)
    assert lets_in(keys.ring(), ONE, TWO) == [False, True]


Spoil = Callable[[Path], object]


def _make_unreadable(path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILS: dict[str, tuple[Spoil, str]] = {
    "gone": (lambda path: path.unlink(), "is gone"),
    "empty": (lambda path: path.write_bytes(b""), "holds no key any more"),
    "torn": (lambda path: path.write_bytes(b'{"do":"cre'), "holds no key any more"),
    "damaged": (lambda path: path.write_bytes(b"what is this\n"), "line 1: neither makes a key"),
    "newer": (lambda path: path.write_bytes(b'{"v":2}\n'), "format 2"),
    "unreadable": (_make_unreadable, "is no file"),
}


@pytest.mark.parametrize("how", SPOILS)
def test_a_spoilt_file_leaves_the_keys_as_they_were(
    how: str, path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture, reads: list[Path]
) -> None:
    """Nobody gets in who could not before, those with a key go on, and the log says so: once, not each second.

    A file whose content is wrong is not read again before it has changed.
    """
    write(path, created_line(ONE[1]))
    keys = KeysFile(path, clock)
    keys.ring()
    spoil, words = SPOILS[how]
    spoil(path)
    reads.clear()
    for _ in range(5):
        clock.advance(LOOK_EVERY_S)
        assert keys.ring().required
        assert lets_in(keys.ring(), ONE, TWO) == [True, False]
    complaints = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert len(complaints) == 1
    assert words in complaints[0]
    assert str(path) in complaints[0]
    assert len(reads) <= 1


@pytest.mark.parametrize("how", SPOILS)
def test_a_file_that_is_mended_counts_again(how: str, path: Path, clock: FakeClock) -> None:
    """Without a restart."""
    write(path, created_line(ONE[1]))
    keys = KeysFile(path, clock)
    keys.ring()
    SPOILS[how][0](path)
    clock.advance(LOOK_EVERY_S)
    keys.ring()
    if path.is_dir():
        path.rmdir()
    write(path, created_line(TWO[1]))
    clock.advance(LOOK_EVERY_S)
    assert lets_in(keys.ring(), ONE, TWO) == [False, True]


@pytest.mark.parametrize("how", ["damaged", "newer", "unreadable"])
def test_a_useless_file_where_there_was_none_shuts_the_door(
    how: str, path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody meant to lock it. It opens for those with a key, once the file can be used."""
    keys = KeysFile(path, clock)
    assert not keys.ring().required
    path.touch()
    SPOILS[how][0](path)
    clock.advance(LOOK_EVERY_S)
    assert keys.ring().required
    assert lets_in(keys.ring(), ONE) == [False]
    assert "nobody is let in" in caplog.text
    if path.is_dir():
        path.rmdir()
    write(path, created_line(ONE[1]))
    clock.advance(LOOK_EVERY_S)
    assert lets_in(keys.ring(), ONE) == [True]


@pytest.mark.parametrize("how", ["damaged", "newer", "unreadable"])
def test_a_useless_file_keeps_a_router_from_starting(how: str, path: Path, clock: FakeClock) -> None:
    """With the place and what to do, and the same for commands."""
    path.touch()
    SPOILS[how][0](path)
    for read in (KeysFile(path, clock).ring, lambda: ring_of(path)):
        with pytest.raises(SettingsError, match=SPOILS[how][1]) as caught:
            read()
        assert str(caught.value).startswith(f"server.keys_file: {path}: ")


def test_a_file_that_the_system_does_not_give_is_a_mistake_in_its_words(tmp_path: Path, clock: FakeClock) -> None:
    """Such as one below something that is no directory."""
    (tmp_path / "var").touch()
    with pytest.raises(SettingsError, match="cannot be read: Not a directory"):
        KeysFile(tmp_path / "var" / "keys.jsonl", clock).ring()


def test_what_the_system_no_longer_gives_leaves_the_keys_as_they_were(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """And is tried again each second."""
    folder = tmp_path / "var"
    folder.mkdir()
    path = folder / "keys.jsonl"
    write(path, created_line(ONE[1]))
    keys = KeysFile(path, clock)
    keys.ring()
    folder.rename(tmp_path / "away")
    folder.touch()
    clock.advance(LOOK_EVERY_S)
    assert lets_in(keys.ring(), ONE) == [True]
    assert "cannot be read: Not a directory; the keys read before stay in force" in caplog.text
    folder.unlink()
    (tmp_path / "away").rename(folder)
    write(path, created_line(TWO[1]))
    clock.advance(LOOK_EVERY_S)
    assert lets_in(keys.ring(), ONE, TWO) == [False, True]


def test_a_pipe_is_no_file_and_nobody_waits_for_its_writer(path: Path) -> None:
    """A router would hang in its start."""
    os.mkfifo(path)
    with pytest.raises(SettingsError, match="is no file"):
        ring_of(path)


def test_a_file_too_large_to_be_one_of_keys_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody named another file."""
    monkeypatch.setattr(keys_file, "LARGEST_BYTES", 100)
    write(path, b"\n" * 101)
    with pytest.raises(SettingsError, match="has 101 bytes"):
        ring_of(path)


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o400, False), (0o640, True), (0o606, True)])
def test_a_file_that_others_may_open_is_warned_of_at_the_start(
    mode: int, warned: bool, path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, with what to do."""
    write(path, created_line(ONE[1]))
    path.chmod(mode)
    KeysFile(path, clock).ring()
    assert ("chmod 600" in caplog.text) == warned
    assert not warned or f"mode {mode:04o}" in caplog.text


def test_what_has_changed_is_logged_by_ids_alone(
    path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """New, revoked and gone keys; many are counted. No hash, no secret."""
    caplog.set_level(logging.INFO)
    others = [made(number) for number in range(3, 20)]
    write(path, created_line(ONE[1]), created_line(TWO[1]))
    keys = KeysFile(path, clock)
    keys.ring()
    write(path, *(created_line(key) for _, key in [ONE, *others]), revoked_line(ONE[1].id, NOW))
    clock.advance(LOOK_EVERY_S)
    keys.ring()
    [line] = [one.getMessage() for one in caplog.records]
    first_ten = ", ".join(key.id for _, key in others[:10])
    assert line.endswith(f": new {first_ten} and 7 more; revoked {ONE[1].id}; gone {TWO[1].id}")
    assert ONE[0][12:].decode() not in line
    assert ONE[1].digest.hex() not in line
    path.touch()
    clock.advance(LOOK_EVERY_S)
    keys.ring()
    assert caplog.records[-1].getMessage().endswith("nothing has changed")


@given(st.lists(st.sampled_from(["new", "revoke", *SPOILS]), max_size=12))
def test_no_order_of_changes_opens_the_door_or_revives_a_key(
    tmp_path_factory: pytest.TempPathFactory, changes: list[str]
) -> None:
    """Against a model: once a key was needed it stays so, and a key that was seen revoked never counts again."""
    path, clock = tmp_path_factory.mktemp("keys") / "keys.jsonl", FakeClock()
    keys = KeysFile(path, clock)
    lines: list[bytes] = []
    was_required, revoked = keys.ring().required, set()
    for number, change in enumerate(changes, 1):
        if path.is_dir():
            path.rmdir()
        if change == "new":
            lines.append(created_line(made(number)[1]))
            write(path, *lines)
        elif change == "revoke" and lines:
            revoked.add(number - 1)
            lines.append(revoked_line(made(number - 1)[1].id, NOW))
            write(path, *lines)
        elif change in SPOILS:
            path.touch()
            SPOILS[change][0](path)
        clock.advance(LOOK_EVERY_S)
        ring = keys.ring()
        assert ring.required or not was_required
        was_required = ring.required
        if change == "revoke" and lines:
            assert not any(lets_in(ring, *(made(one) for one in revoked)))


def test_the_file_lies_beside_the_settings_file(tmp_path: Path) -> None:
    """Or in the working directory, where there is none; an absolute name is taken as it is."""

    def path_of(name: str, file: Path | None) -> Path:
        return keys_path(Loaded(Settings(server=ServerSettings(keys_file=name)), {}, file))

    assert path_of("var/keys.jsonl", tmp_path / "pointsman.toml") == tmp_path / "var/keys.jsonl"
    assert path_of("var/keys.jsonl", Path("pointsman.toml")) == Path("var/keys.jsonl")
    assert path_of("var/keys.jsonl", None) == Path("var/keys.jsonl")
    assert path_of("/etc/keys", tmp_path / "pointsman.toml") == Path("/etc/keys")


def test_the_state_is_taken_before_the_content(path: Path) -> None:
    """What is added while it is read is noticed at the next look: the state is that of what was there before."""
    write(path, created_line(ONE[1]))
    found = read_file(path)
    with path.open("ab") as file:
        file.write(created_line(TWO[1]))
    assert read_file(path).seen != found.seen
