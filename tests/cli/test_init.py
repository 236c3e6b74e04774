from __future__ import annotations

from pathlib import Path

from pointsman.config.load import load
from pointsman.model.settings import Settings


def test_init_writes_a_file_that_means_the_defaults(command):
    """It loads without a mistake as it is."""
    ran = command("init")
    assert (ran.code, ran.err) == (0, "")
    assert load(Path("pointsman.toml"), environ={}).settings == Settings()


def test_init_never_overwrites_unless_forced(command):
    """A file that is there stays; --force replaces it."""
    Path("mine.toml").write_text("[limits]\nburst = 7\n", "utf-8")
    ran = command("init", "mine.toml")
    assert ran.code == 1
    assert "mine.toml is there already; --force overwrites it" in ran.err
    assert Path("mine.toml").read_text("utf-8") == "[limits]\nburst = 7\n"
    assert command("init", "mine.toml", "--force").code == 0
    assert "burst = 7" not in Path("mine.toml").read_text("utf-8")


def test_init_in_a_directory_uses_the_usual_name(command, tmp_path):
    """`pointsman init somewhere` writes somewhere/pointsman.toml."""
    (tmp_path / "here").mkdir()
    assert command("init", "here").code == 0
    assert (tmp_path / "here" / "pointsman.toml").is_file()


def test_init_where_nothing_can_be_written_says_so(command):
    """A missing directory is one line, no traceback."""
    ran = command("init", "no/such/place.toml")
    assert ran.code == 1
    assert ran.err == "error: no/such/place.toml: No such file or directory\n"


def test_init_prints_to_standard_output_for_a_dash(command):
    """For a pipe; no file is written."""
    ran = command("init", "-")
    assert ran.code == 0
    assert "[limits]" in ran.out
    assert not Path("pointsman.toml").exists()
