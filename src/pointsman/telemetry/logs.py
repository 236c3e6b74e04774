"""Log lines of the service edges: set-up of stdlib logging, one record a line, as text for people or JSON for machines.

No input can forge a line: whatever stands in a message, a value or the text of an error, a record begins at
the start of a line and nothing else does. In text, characters that could act on a terminal are escaped, and
lines after the first begin with `  | `. In JSON everything is on one line.

A library must not set up logging; only the command line calls `configure`.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from pointsman.model.errors import UsageError

FORMS: Final = ("text", "json")

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Controls, line and paragraph separators, what is invisible or turns the direction of writing, and lone surrogates."""

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def configure(level: str, form: str = "text", stream: TextIO | None = None) -> logging.Handler:
    """Send every record of `level` and above to `stream` (standard error by default); replaces an earlier set-up.

    Args:
        level: `debug`, `info`, `warning` or `error`, as in `telemetry.log_level`.
        form: `text` or `json`.

    Raises:
        UsageError: there is no such level or form.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None or form not in FORMS:
        raise UsageError(f"logging: got level {level!r} and form {form!r}, expected a level and one of {FORMS}")
    writer = logging.StreamHandler(stream)
    writer.setFormatter(JsonLines() if form == "json" else TextLines())
    writer.set_name("pointsman")
    root = logging.getLogger()
    for earlier in [one for one in root.handlers if one.get_name() == "pointsman"]:
        root.removeHandler(earlier)
    root.addHandler(writer)
    root.setLevel(number)
    return writer


def escape(text: str) -> str:
    r"""Return `text` with whatever could end a line, act on a terminal or hide as `\uXXXX`."""
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return what was given as `extra`."""
    return {key: value for key, value in record.__dict__.items() if key not in _STANDARD}


def _instant(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class TextLines(logging.Formatter):
    """`2026-01-31T12:00:00.000Z INFO pointsman.http: message key=value`, and a traceback as continued lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as lines of which only the first begins at the margin."""
        parts = [f"{_instant(record)} {record.levelname} {escape(record.name)}: {escape(record.getMessage())}"]
        parts += [f"{escape(key)}={_shown(value)}" for key, value in _fields(record).items()]
        lines = [" ".join(parts)]
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            lines += [f"  | {escape(line)}" for line in trace.split("\n")]
        return "\n".join(lines)


def _shown(value: object) -> str:
    """Return a value so that it cannot pass for another `key=value`: text with blanks, quotes or `=` is quoted."""
    text = str(value)
    if re.fullmatch(r"[^\s\"=]+", text):
        return escape(text)
    return escape(json.dumps(text, ensure_ascii=False))


class JsonLines(logging.Formatter):
    """`{"at": ..., "level": ..., "logger": ..., "message": ..., "error": ..., and the extra fields}`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line = {
            "at": _instant(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        extra = {key: value for key, value in _fields(record).items() if key not in line}
        return _UNSAFE.sub(_json_escaped, json.dumps(line | extra, ensure_ascii=False, default=str))


def _json_escaped(match: re.Match[str]) -> str:
    """Return an escape that JSON knows: beyond the basic plane, two surrogates."""
    return json.dumps(match.group())[1:-1]
