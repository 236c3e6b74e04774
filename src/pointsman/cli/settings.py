"""Reads the settings for a command: file, environment and flags."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pointsman.config import environment
from pointsman.model.errors import SettingsError

if TYPE_CHECKING:
    from pointsman.config.load import Loaded


_CALLABLE: Final = (
    'got "callable", which is for programs that use Pointsman as a library; expected http, openai or subprocess'
)


def read(file: Path | None, values: Mapping[str, str] | None = None) -> Loaded:
    """Return the settings in force for this command.

    Raises:
        SettingsError: with every mistake; also where a worker could only be given by a program.
    """
    from pointsman.config.load import load

    loaded = load(file, environ=environment.snapshot(), overrides=values)
    _refuse_callables(loaded)
    return loaded


def _refuse_callables(loaded: Loaded) -> None:
    mistakes = []
    for name, pool in loaded.settings.pools.items():
        for place, worker in enumerate(pool.workers):
            if worker.transport == "callable":
                key = f"pools.{name}.workers.{place}.transport"
                mistakes.append(f"{loaded.origins[key]}: {key}: {_CALLABLE}")
    if mistakes:
        raise SettingsError(mistakes)
