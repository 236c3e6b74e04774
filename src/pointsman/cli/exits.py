"""Exit codes. They are API: scripts branch on them, so a number keeps its meaning."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_BETTER = 3
    UNREACHABLE = 4
    SETTINGS = 5
    WARNING = 6
    INTERRUPTED = 130


MEANINGS: Final[dict[ExitCode, str]] = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "refused, or failed; the message says why",
    ExitCode.USAGE: "the command was not understood",
    ExitCode.NOT_BETTER: "a trained model does not beat the baselines",
    ExitCode.UNREACHABLE: "no router answers at that address",
    ExitCode.SETTINGS: "the settings cannot be used",
    ExitCode.WARNING: "nothing fails, but somebody should look, or there is not enough data to say",
    ExitCode.INTERRUPTED: "stopped by Ctrl-C",
}
"""What each code means, for the help and the reference."""


def described() -> str:
    """Return the codes and their meanings, one a line, for the end of `pointsman --help`."""
    return "\n".join(f"  {int(code):>3}  {meaning}" for code, meaning in MEANINGS.items())
