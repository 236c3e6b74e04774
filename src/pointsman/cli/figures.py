"""How numbers are written for people: durations, shares, instants, bars."""

from __future__ import annotations

import math
from typing import Final

_UNITS: Final = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"), (0.001, "ms"), (0.000_001, "us"))


def duration(seconds: float | None) -> str:
    """Return a length of time with three digits and the unit that suits it; `-` where there is none."""
    if seconds is None:
        return "-"
    for size, unit in _UNITS:
        if abs(seconds) >= size:
            return f"{_three_digits(seconds / size)} {unit}"
    return "0 s"


def _three_digits(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def share(value: float | None) -> str:
    """Return a share (0..1) in percent; `-` where there is none."""
    return "-" if value is None else f"{100 * value:.1f} %"


def money(value: float | None, currency: str) -> str:
    """Return an amount with its currency: two places from 1 on, four digits below; `-` where there is no price."""
    if value is None:
        return "-"
    if value == 0.0 or abs(value) >= 1.0:
        return f"{value:,.2f} {currency}"
    return f"{value:.{3 - math.floor(math.log10(abs(value)))}f} {currency}"


def amount(value: float) -> str:
    """Return an amount of money of which nobody says the currency: six digits, never an exponent."""
    from decimal import Decimal

    return f"{Decimal(f'{value:.6g}'):f}"


def instant(wall: float | None) -> str:
    """Return Unix seconds as local date and time; `-` where there is none or it is out of this calendar."""
    from datetime import UTC, datetime

    if wall is None:
        return "-"
    try:
        return datetime.fromtimestamp(wall, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return "-"


def age(wall: float | None, now: float) -> str:
    """Return how long ago a moment (Unix seconds) was, in whole units; `-` where there is none."""
    if wall is None:
        return "-"
    seconds = max(0.0, now - wall)
    size, unit = next((one for one in _UNITS if seconds >= one[0] >= 1.0), (1.0, "s"))
    return f"{seconds // size:.0f} {unit}"


def bar(value: float, width: int = 24, *, full: str = "█", empty: str = "░") -> str:
    """Return a share (0..1) as a bar of `width` characters."""
    filled = round(max(0.0, min(1.0, value)) * width)
    return full * filled + empty * (width - filled)


def count(number: int, one: str, many: str = "") -> str:
    """Return `1 message`, `2 messages`: a number with the right form of its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
