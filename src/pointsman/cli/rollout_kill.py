"""The kill file, written by whoever rolls back while no router answers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pointsman.cli import output
from pointsman.cli.exits import ExitCode
from pointsman.cli.settings import read
from pointsman.config.load import DEFAULT
from pointsman.model.errors import SettingsError

_KEY: Final = "rollout.kill_file"


def write_kill_file(file: Path | None, values: Mapping[str, str], trouble: str, *, actor: str, reason: str) -> Path:
    """Write the kill file that the settings name, and return where it is. One that is there already stays.

    Args:
        file: the settings file, None for the one that `serve` takes.
        values: single settings, as `serve` may be given them.
        trouble: why no router does it, for the error.
        actor: who rolls back; stands in the file with the reason.
        reason: why.

    Raises:
        OSError: it cannot be written.
        SettingsError: nobody knows where it is.
        Exit: the settings name no old router, so that no router of theirs would obey.
    """
    try:
        loaded = read(file, values)
    except SettingsError:
        output.complain(f"{trouble}; so the kill file would be written, but without settings nobody knows where it is")
        raise
    if loaded.settings.rollout.legacy is None and loaded.origins[_KEY] == DEFAULT:
        output.fail(
            f"{trouble}. And {loaded.path or 'the default settings'} name no `rollout.legacy`, so no kill file of"
            " theirs would help: name the settings of the router with --config",
            ExitCode.UNREACHABLE,
        )
    path = (loaded.path.parent if loaded.path else Path()) / loaded.settings.rollout.kill_file
    path.parent.mkdir(parents=True, exist_ok=True)
    words = " ".join(f"{reason} (pointsman rollout rollback by {actor or 'somebody'})".split())
    with open(path, "a", encoding="utf-8", errors="replace") as kill:
        kill.write(words + "\n")
        kill.flush()
        os.fsync(kill.fileno())
    return path
