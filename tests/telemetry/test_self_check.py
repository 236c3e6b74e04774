from __future__ import annotations

from pointsman.model.health import Finding
from pointsman.telemetry.self_check import MOST_SERIES, TelemetryCheck

HEAD = "# TYPE pointsman_build_info gauge\npointsman_build_info 1\n# TYPE pointsman_uptime_seconds gauge\n"


async def look(text: str) -> Finding:
    """Look at an exposition."""

    async def exposition(accept: str) -> tuple[bytes, str]:
        assert accept == "text/plain"
        return text.encode(), accept

    return await TelemetryCheck(exposition).look()


async def test_an_exposition_must_be_whole_and_readable() -> None:
    """And say at least what runs, and since when."""
    good = await look(HEAD + "pointsman_uptime_seconds 1\n")
    assert (good.status.value, good.observed) == ("pass", 2)
    assert (await look(HEAD + "pointsman_uptime_seconds 1")).status.value == "fail"
    lacking = await look("# TYPE pointsman_build_info gauge\npointsman_build_info 1\n")
    assert lacking.status.value == "fail"
    assert "lacks pointsman_uptime_seconds" in lacking.output


async def test_too_many_series_are_a_warning() -> None:
    """Something unbounded has become a label."""
    lines = "".join(f'pointsman_uptime_seconds{{n="{at}"}} 1\n' for at in range(MOST_SERIES))
    assert (await look(HEAD + lines)).status.value == "warn"
    assert (await look(HEAD + lines.split("\n", 1)[1])).status.value == "pass"
