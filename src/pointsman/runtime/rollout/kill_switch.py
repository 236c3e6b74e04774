"""The kill switch: a file that exists, or an environment variable that is set, holds everything at the legacy.

It works when the API, the record and the disk below it do not, and asks nobody. What cannot be looked at counts as a
kill: a switch that fails must fail to the side that is known to be good. What follows is decided in `conductor`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple

_OFF: Final = frozenset({"", "0", "false", "no", "off"})
_LONGEST: Final = 200


class Kill(NamedTuple):
    """What holds everything at the legacy: who (`kill_file` or `environment`) and why."""

    actor: str
    reason: str


class KillSwitch:
    """Looks whether somebody has pulled it.

    Args:
        path: the kill file.
        environment: value of the variable as the process began; empty, `0`, `false`, `no` and `off` are not set.
    """

    def __init__(self, path: Path, environment: str) -> None:
        self.path = path
        text = environment.strip()
        self._environment = "" if text.lower() in _OFF else text[:_LONGEST]

    def look(self) -> Kill | None:
        """Return what holds everything at the legacy now, or None. May wait for the disk; never raises."""
        if self._environment:
            return Kill("environment", f"POINTSMAN_ROLLOUT_KILL={self._environment}")
        try:
            os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            return Kill("kill_file", f"{self.path} cannot be looked at, which counts as a kill: {error.strerror}")
        return Kill("kill_file", self._first_line() or f"{self.path} exists")

    def _first_line(self) -> str:
        try:
            # Not waiting: it may be a pipe that nobody writes to.
            file = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                text = os.read(file, _LONGEST)
            finally:
                os.close(file)
        except OSError as error:
            return f"{self.path} exists and cannot be read: {error.strerror}"
        return text.decode("utf-8", "replace").partition("\n")[0].strip()
