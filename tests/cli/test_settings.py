from __future__ import annotations

from pathlib import Path

import pytest

from pointsman.cli.settings import read
from pointsman.model.errors import SettingsError


def test_file_environment_and_flags_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The flag wins over the environment, the environment over the file."""
    file = tmp_path / "a.toml"
    file.write_text("[limits]\nburst = 1\nrate_per_min = 1\nflood_copies = 1\n", "utf-8")
    monkeypatch.setenv("POINTSMAN__LIMITS__RATE_PER_MIN", "2")
    monkeypatch.setenv("POINTSMAN__LIMITS__FLOOD_COPIES", "2")
    limits = read(file, {"limits.flood_copies": "3"}).settings.limits
    assert (limits.burst, limits.rate_per_min, limits.flood_copies) == (1, 2, 3)


def test_each_worker_that_only_a_program_can_give_is_named(tmp_path: Path):
    """With its line; other workers are no mistake."""
    file = tmp_path / "a.toml"
    workers = '[[pools.coders.workers]]\nid = "{}"\ntransport = "{}"\nurl = "http://127.0.0.1:1/"\n'
    text = "[pools.planners]\n" + "".join(
        workers.format(name, transport) for name, transport in (("a", "callable"), ("b", "http"), ("c", "callable"))
    )
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as raised:
        read(file)
    assert [mistake.split(": ")[0] for mistake in raised.value.mistakes] == [f"{file}:4", f"{file}:12"]
