"""On which line of a TOML text each key stands: `tomllib` does not say.

Only places are found here; values, and whether the text is TOML at all, are `tomllib`'s business. The text
must be one that `tomllib` has accepted, so this scanner checks nothing. Grammar: TOML 1.0 (toml.io), and
newlines within inline tables as 1.1 allows them.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left

Path = tuple[str, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED_KEY = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')
_STRING = re.compile(
    r'"""(?:[^"\\]|\\[\s\S]|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def locate(text: str) -> dict[Path, int]:
    """Return the line, counted from 1, of every table, key, list entry and key of an inline table in `text`.

    List entries have their position as a step of the path: `("pools", "planners", "workers", "0", "url")`. A
    table that only stands implicitly, as `a` does in `[a.b]`, is found where it is first mentioned.

    Raises:
        RecursionError: nested as deeply as `tomllib` itself cannot read either.
    """
    return _Scanner(text).scan()


class _Scanner:
    """A position in the text, and the lines found so far."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, int] = {}
        self._newlines = [place for place, char in enumerate(text) if char == "\n"]
        self._entries: dict[Path, int] = {}

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self.found

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError(f"not TOML at character {self.at}")
        self.at = match.end()
        return match.group()

    def _note(self, path: Path, start: int) -> None:
        line = bisect_left(self._newlines, start) + 1
        for end in range(1, len(path) + 1):
            self.found.setdefault(path[:end], line)

    def _header(self) -> Path:
        start = self.at
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        names = self._key()
        self.at += 2 if many else 1
        path: Path = ()
        for name in names[:-1]:
            path = self._last_entry((*path, name))
        path = (*path, names[-1])
        if many:
            self._note(path, start)
            self._entries[path] = self._entries.get(path, 0) + 1
        path = self._last_entry(path)
        self._note(path, start)
        return path

    def _last_entry(self, path: Path) -> Path:
        count = self._entries.get(path)
        return path if count is None else (*path, str(count - 1))

    def _key(self) -> Path:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            if self.text[self.at] in "\"'":
                quoted = self._skip(_QUOTED_KEY)
                parts.extend(tomllib.loads(f"{quoted} = 0"))
            else:
                parts.append(self._skip(_BARE_KEY))
            self._skip(_SPACE)
            if self.text[self.at] != ".":
                return tuple(parts)
            self.at += 1

    def _pair(self, table: Path) -> None:
        start = self.at
        path = (*table, *self._key())
        self._note(path, start)
        self.at += 1
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: Path) -> None:
        opening = self.text[self.at]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        elif opening in "\"'":
            self._skip(_STRING)
        else:
            self._skip(_SCALAR)

    def _array(self, path: Path) -> None:
        self.at += 1
        position = 0
        while self._more("]"):
            entry = (*path, str(position))
            self._note(entry, self.at)
            self._value(entry)
            position += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        while self._more("}"):
            self._pair(path)

    def _more(self, closing: str) -> bool:
        """Step over blanks and a comma; whether an entry follows. If none does, step over `closing`."""
        self._skip(_BLANK)
        if self.text[self.at] == ",":
            self.at += 1
            self._skip(_BLANK)
        if self.text[self.at] == closing:
            self.at += 1
            return False
        return True
