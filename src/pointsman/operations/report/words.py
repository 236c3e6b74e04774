"""How figures are written in a report. What was not measured is said in words, never as 0 or a dash."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

NOT_MEASURED: Final = "not measured"

_UNITS: Final = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"), (0.001, "ms"), (0.000_001, "us"))


def duration(seconds: float | None) -> str:
    """Return a length of time with three digits and the unit that suits it."""
    if seconds is None:
        return NOT_MEASURED
    for size, unit in _UNITS:
        if abs(seconds) >= size:
            return f"{seconds / size:.3g} {unit}" if abs(seconds) < 1000 * size else f"{seconds / size:,.0f} {unit}"
    return "0 s"


def share(value: float | None) -> str:
    """Return a share in percent, with as many places as tell it from 0 and from 100."""
    if value is None:
        return NOT_MEASURED
    percent = 100.0 * value
    for places in (1, 2, 3):
        text = f"{percent:.{places}f}"
        if 0.0 < percent < 100.0 and float(text) in (0.0, 100.0):
            continue
        return f"{text} %"
    return f"{'> 99.999' if percent > 50 else '< 0.001'} %"


def number(value: float | None) -> str:
    """Return a count."""
    return NOT_MEASURED if value is None else f"{value:,.0f}"


def decimal(value: float | None) -> str:
    """Return a figure between -1 and 1, such as kappa."""
    return NOT_MEASURED if value is None else f"{value:.3f}"


def megabytes(value: float | None) -> str:
    """Return bytes in MB."""
    return NOT_MEASURED if value is None else f"{value / 1e6:,.1f} MB"


def instant(wall: float | None) -> str:
    """Return Unix seconds as date and time in UTC."""
    if wall is None:
        return NOT_MEASURED
    try:
        return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return NOT_MEASURED


def day(wall: float) -> str:
    """Return Unix seconds as a date (UTC)."""
    return instant(wall)[:10]


def plain(code: str) -> str:
    """Return a name of a program as words."""
    return code.replace("_", " ")


def count(n: int, one: str, many: str = "") -> str:
    """Return `1 message`, `2 messages`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
