"""Secrets: from `{ env = "NAME" }` or `{ file = "PATH" }` to the text, at the moment it is used.

A file is read again when it has changed, looked at once a second at most, so that a rotated secret needs no restart.
The text is handed out by `reveal` alone and shows in no repr, message or log line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from pointsman.config.values import is_variable
from pointsman.model.errors import SettingsError
from pointsman.model.settings import Secret
from pointsman.ports import Clock

LOOK_EVERY_S: Final = 1.0
"""A look at a file is a system call, and a secret is asked for with every message."""

LONGEST_BYTES: Final = 65_536
"""A file above this size is no secret but a mistake."""


class Hidden:
    """One secret: known by where it comes from, revealed only on purpose."""

    __slots__ = ("_clock", "_environ", "_key", "_look_at", "_path", "_read_at", "_secret", "_text")

    def __init__(self, secret: Secret, key: str, environ: Mapping[str, str], beside: Path, clock: Clock | None) -> None:
        self._clock = clock
        self._look_at = 0.0
        self._secret = secret
        self._key = key
        self._environ = environ
        self._path = None if secret.file is None else beside / secret.file
        self._read_at: tuple[int, int, int] | None = None
        self._text = ""

    def __repr__(self) -> str:
        """Where it comes from, never what it is."""
        return f"Hidden({self._key})"

    def reveal(self) -> str:
        """Return the secret.

        Raises:
            SettingsError: the variable or file is missing, empty or unusable; names the key, shows no secret.
        """
        if self._path is not None:
            return self._from_file(self._path)
        name = self._secret.env or ""
        if not is_variable(name):
            raise self._error("expected the name of an environment variable, and what stands there is none")
        text = self._environ.get(name)
        if text is None:
            raise self._error(f"environment variable {name} is not set; set it and start again")
        return self._checked(text, f"environment variable {name}")

    def _from_file(self, path: Path) -> str:
        if self._clock is not None:
            now = self._clock.monotonic()
            if self._text and now < self._look_at:
                return self._text
            self._look_at = now + LOOK_EVERY_S
        try:
            state = path.stat()
            seen = (state.st_mtime_ns, state.st_size, state.st_ino)
            if seen != self._read_at:
                if state.st_size > LONGEST_BYTES:
                    raise self._error(f"file {path} has {state.st_size:,} bytes; a secret has fewer")
                self._text = self._checked(path.read_text("utf-8"), f"file {path}")
                self._read_at = seen
        except OSError as error:
            raise self._error(f"file {path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError:
            raise self._error(f"file {path} is not UTF-8 text") from None
        return self._text

    def _checked(self, text: str, source: str) -> str:
        """Return the text less one final newline. Anything else that is no text would forge a header line."""
        text = text.removesuffix("\n")
        if not text:
            raise self._error(f"{source} is empty")
        if not text.isprintable():
            raise self._error(f"{source} holds a line break or another control character")
        return text

    def _error(self, what: str) -> SettingsError:
        return SettingsError([f"{self._key}: {what}"])


class Secrets:
    """Makes `Hidden` out of settings.

    Args:
        environ: environment variables, see `environment.snapshot`.
        beside: directory that relative file names start from: that of the settings file.
        clock: tells when to look at a file again; without it, each time.
    """

    def __init__(self, environ: Mapping[str, str], beside: Path, clock: Clock | None = None) -> None:
        self._clock = clock
        self._environ = environ
        self._beside = beside

    def revealer(self, secret: Secret, key: str) -> Callable[[], str]:
        """Return what reveals a secret, each time anew; see `hide`."""
        return self.hide(secret, key).reveal

    def hide(self, secret: Secret, key: str) -> Hidden:
        """Return the secret of a setting, not read yet. `key` is its dotted key, for messages."""
        return Hidden(secret, key, self._environ, self._beside, self._clock)
