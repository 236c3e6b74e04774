"""Days and months in UTC: when the period begins and ends that an instant lies in.

Decides only that. Budgets and accounts count by it; nobody's local midnight plays a part, so that the same spending
counts alike wherever the router runs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

DAY: Final = "day"
MONTH: Final = "month"

_DAY_S: Final = 86_400


def period_of(per: str, wall: float) -> tuple[int, int]:
    """Return beginning and end, Unix seconds, of the period around `wall`; the end is the beginning of the next.

    Args:
        per: `day` or `month`.
        wall: Unix seconds, from 1970 to 9999.
    """
    if per == DAY:
        start = int(wall // _DAY_S) * _DAY_S
        return start, start + _DAY_S
    begins = datetime.fromtimestamp(wall, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    year, month = (begins.year + 1, 1) if begins.month == 12 else (begins.year, begins.month + 1)
    return int(begins.timestamp()), int(begins.replace(year=year, month=month).timestamp())


def written(wall: float) -> str:
    """Return an instant as RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
