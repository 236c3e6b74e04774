"""The health check of telemetry: the exposition renders, can be read back, and stays below its bound.

A scraper that finds it broken sees nothing of us at all, and no alert of its rules would fire.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from pointsman.core.health_board import Needs
from pointsman.model.health import Finding, failed, passed, warned
from pointsman.telemetry.parse import Unreadable, parse

MOST_SERIES: Final = 5_000
"""More make a scrape dear, and mean that something unbounded has become a label."""

_MUST_BE: Final = ("pointsman_build_info", "pointsman_uptime_seconds")


class TelemetryCheck:
    """Scrapes the router as Prometheus would.

    Args:
        exposition: the body of `/metrics` and its type, for an Accept header.
    """

    component = "telemetry"
    kind = "telemetry"
    depends_on: tuple[str, ...] = ()
    needs: Needs = "each"

    def __init__(self, exposition: Callable[[str], Awaitable[tuple[bytes, str]]]) -> None:
        self._exposition = exposition

    def probe(self) -> Finding:
        """Nothing: rendering takes milliseconds."""
        return passed("looked at by deep checks only")

    async def look(self) -> Finding:
        """Scrape, and read."""
        body, _ = await self._exposition("text/plain")
        report = "this is a fault in Pointsman; please report it"
        try:
            read = parse(body.decode())
        except (Unreadable, UnicodeDecodeError) as error:
            return failed(f"/metrics cannot be read: {error}: {report}")
        lacking = [name for name in _MUST_BE if name not in read.kinds]
        if lacking:
            return failed(f"/metrics lacks {', '.join(lacking)}: {report}")
        count = len(read.samples)
        if count > MOST_SERIES:
            output = "more series than it should have: pointsman_dropped_series_total and the longest family say which"
            return warned(output, count, "series", MOST_SERIES)
        return passed("/metrics renders and can be read", count, "series", MOST_SERIES)
