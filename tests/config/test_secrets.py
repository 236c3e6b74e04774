from __future__ import annotations

import os
from pathlib import Path

import pytest

from pointsman.config.secrets import LONGEST_BYTES, Hidden, Secrets
from pointsman.model.errors import SettingsError
from pointsman.model.settings import Secret
from pointsman.testing import FakeClock

KEY = "pools.coders.workers.0.auth"


def hide(secret: Secret, environ: dict[str, str] | None = None, beside: Path = Path()) -> Hidden:
    """A secret of one worker."""
    return Secrets(environ or {}, beside).hide(secret, KEY)


def trouble(hidden: Hidden) -> str:
    """What revealing it complains about, less the key."""
    with pytest.raises(SettingsError) as caught:
        hidden.reveal()
    (line,) = caught.value.mistakes
    assert line.startswith(f"{KEY}: ")
    return line.removeprefix(f"{KEY}: ")


def write(path: Path, text: str | bytes, at_ns: int) -> None:
    """Write a file with a time of change of its own, as clocks are coarser than tests."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    os.utime(path, ns=(at_ns, at_ns))


def test_a_secret_comes_from_the_variable_it_names():
    """The text as it is."""
    assert hide(Secret(env="TOKEN"), {"TOKEN": "s3cret"}).reveal() == "s3cret"


def test_a_file_beside_the_settings_is_read_without_its_final_line_end(tmp_path):
    """Editors add one; CR LF counts as one; only one is taken."""
    for text in ("s3cret", "s3cret\n", "s3cret\r\n"):
        write(tmp_path / "token", text, 1)
        assert hide(Secret(file="token"), beside=tmp_path).reveal() == "s3cret"
    assert hide(Secret(file=str(tmp_path / "token"))).reveal() == "s3cret"


def test_a_file_that_changed_is_read_again(tmp_path):
    """A rotated secret needs no restart."""
    hidden = hide(Secret(file="token"), beside=tmp_path)
    write(tmp_path / "token", "first", 1_000)
    assert hidden.reveal() == "first"
    write(tmp_path / "token", "other", 2_000)
    assert hidden.reveal() == "other"


def test_a_file_that_did_not_change_is_not_read_again(tmp_path):
    """The same time, size and file: what was read holds. Checked by a change that leaves all three alone."""
    hidden = hide(Secret(file="token"), beside=tmp_path)
    write(tmp_path / "token", "first", 1_000)
    assert hidden.reveal() == "first"
    write(tmp_path / "token", "other", 1_000)
    assert hidden.reveal() == "first"


def test_a_replaced_file_is_read_again_even_with_the_same_time_and_size(tmp_path):
    """Orchestrators swap links; the file behind the name is another then."""
    write(tmp_path / "one", "first", 1_000)
    write(tmp_path / "two", "other", 1_000)
    link = tmp_path / "token"
    link.symlink_to("one")
    hidden = hide(Secret(file="token"), beside=tmp_path)
    assert hidden.reveal() == "first"
    link.unlink()
    link.symlink_to("two")
    assert hidden.reveal() == "other"


def test_what_is_missing_is_named_with_its_key(tmp_path):
    """The variable or the file, and what to do."""
    assert trouble(hide(Secret(env="TOKEN"))) == ("environment variable TOKEN is not set; set it and start again")
    assert trouble(hide(Secret(file="token"), beside=tmp_path)) == (
        f"file {tmp_path / 'token'} cannot be read: No such file or directory"
    )


def test_a_file_that_vanished_is_an_error_although_it_had_been_read(tmp_path):
    """A revoked secret is not used any longer."""
    hidden = hide(Secret(file="token"), beside=tmp_path)
    write(tmp_path / "token", "s3cret", 1)
    hidden.reveal()
    (tmp_path / "token").unlink()
    assert "cannot be read" in trouble(hidden)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("\n", "is empty"),
        ("s3cret\nx-evil: 1", "holds a line break or another control character"),
        ("s3cret\n\n", "holds a line break or another control character"),
        (b"s3cret\xff", "is not UTF-8 text"),
        ("s3cret" * LONGEST_BYTES, "a secret has fewer"),
    ],
)
def test_what_cannot_be_a_secret_is_refused_and_not_shown(tmp_path, text, what):
    """A line break would begin another header."""
    write(tmp_path / "token", text, 1)
    message = trouble(hide(Secret(file="token"), beside=tmp_path))
    assert what in message
    assert "s3cret" not in message


def test_a_variable_is_checked_like_a_file():
    """Empty, or with a line break."""
    assert "is empty" in trouble(hide(Secret(env="TOKEN"), {"TOKEN": ""}))
    assert "line break" in trouble(hide(Secret(env="TOKEN"), {"TOKEN": "a\nb"}))


def test_a_name_that_may_be_the_secret_itself_is_not_repeated():
    """It may be the secret, written in the wrong place."""
    assert "s3cret" not in trouble(hide(Secret(env="sk-s3cret")))
    assert "none" in trouble(hide(Secret()))


def test_no_repr_shows_a_secret(tmp_path):
    """Neither before nor after it was revealed."""
    write(tmp_path / "token", "s3cret", 1)
    for hidden in (hide(Secret(file="token"), beside=tmp_path), hide(Secret(env="TOKEN"), {"TOKEN": "s3cret"})):
        assert hidden.reveal() == "s3cret"
        assert repr(hidden) == f"Hidden({KEY})"
        assert "s3cret" not in f"{hidden} {hidden!r} {[hidden]}"


def test_with_a_clock_a_file_is_looked_at_once_a_second(tmp_path):
    """A look is a system call; a second is soon enough for a secret that was rotated."""
    clock = FakeClock()
    write(tmp_path / "token", "old", 1)
    hidden = Secrets({}, tmp_path, clock).hide(Secret(file="token"), KEY)
    assert hidden.reveal() == "old"
    write(tmp_path / "token", "new", 2)
    clock.advance(0.9)
    assert hidden.reveal() == "old"
    clock.advance(0.2)
    assert hidden.reveal() == "new"
