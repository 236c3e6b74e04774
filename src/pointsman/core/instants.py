"""Reads instants as people and programs write them: RFC 3339, section 5.6, offset included.

Decides what counts as one. `datetime.fromisoformat` reads far more (weeks, dates alone, no offset), and each of
those would be a time that sender and router could understand differently.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHORTEST: Final = len("2026-01-31T00:00:00Z")
_LONGEST: Final = 40
_MARKS: Final = ((4, "-"), (7, "-"), (10, "T "), (13, ":"), (16, ":"))


def parse_instant(text: str) -> float | None:
    """Return Unix seconds, or None where `text` is no RFC 3339 instant. A leap second (`:60`) counts as none."""
    text = text.upper()
    if not _SHORTEST <= len(text) <= _LONGEST:
        return None
    if any(text[at] not in marks for at, marks in _MARKS) or not (text[-1] == "Z" or text[-3] == ":"):
        return None
    try:
        return (datetime.fromisoformat(text) - _EPOCH).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no instant; without an offset; before the year 1
        return None
