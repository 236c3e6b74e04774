"""The native API for service levels."""

from __future__ import annotations

from typing import Final

from pointsman.http import wire
from pointsman.http.exchange import Answer, Request, ok
from pointsman.http.problems import invalid

PERIODS: Final = ("hour", "day")
"""Steps in which the past may be asked for."""

SHORTEST_S: Final = 60.0
LONGEST_S: Final = 2_592_000.0


async def show(request: Request) -> Answer:
    """Show every objective: observed, coverage, error budget, burn, verdict; with `by` also the past in such steps."""
    asked = request.query("window_s", "by")
    return ok(request.surface.slo(_window_s(asked.get("window_s")), _by(asked.get("by"))))


def _window_s(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not SHORTEST_S <= seconds <= LONGEST_S:
        expected = f"expected {SHORTEST_S:.0f} to {LONGEST_S:.0f} seconds"
        raise invalid(f"window_s: got {wire.shorten(text)}, {expected}", "window_s")
    return seconds


def _by(text: str | None) -> str:
    if text and text not in PERIODS:
        raise invalid(f"by: got {wire.shorten(text)}, expected hour or day", "by")
    return text or ""
