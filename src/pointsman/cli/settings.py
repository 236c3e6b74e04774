"""Reads the settings for a command: file, environment and flags."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pointsman.config import environment

if TYPE_CHECKING:
    from pointsman.config.load import Loaded


def read(file: Path | None, values: Mapping[str, str] | None = None) -> Loaded:
    """Return the settings in force for this command. Raises SettingsError with every mistake."""
    from pointsman.config.load import load

    return load(file, environ=environment.snapshot(), overrides=values)
