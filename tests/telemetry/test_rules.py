from __future__ import annotations

import re

import pytest

from pointsman.model.settings_operations import ObjectiveSettings
from pointsman.telemetry.rules import Burn, Windows, burning, indicators, recordings

OBJECTIVES = ObjectiveSettings()


def bounds(name: str, windows: Windows, speeds: tuple[Burn, ...]) -> list[float]:
    """Shares of bad events above which one is called."""
    (one,) = [one for one in indicators(OBJECTIVES) if one.name == name]
    return [float(bound) for bound in re.findall(r"> ([0-9.]+)", burning(one, speeds, windows.min_events))]


@pytest.mark.parametrize(
    ("name", "page", "ticket"),
    [
        ("errors", [0.216, 0.216, 0.09, 0.09], [0.045, 0.045, 0.015, 0.015]),
        ("overhead", [0.4, 0.4, 0.2, 0.2], [0.15, 0.15, 0.05, 0.05]),
        ("availability", [0.0144, 0.0144, 0.006, 0.006], [0.003, 0.003, 0.001, 0.001]),
    ],
)
def test_bounds_are_those_of_the_workbook_and_can_be_reached(name, page, ticket):
    """14.4, 6, 3 and 1 times the budget; of a budget of 5 % 8 and 4 times, as 14.4 times would be 72 %."""
    windows = Windows()
    assert bounds(name, windows, windows.page) == pytest.approx(page)
    assert bounds(name, windows, windows.ticket) == pytest.approx(ticket)


def test_every_window_that_is_looked_at_is_recorded():
    """Shares over seven windows, and events over the two longest of the first speeds, for each service level."""
    made = recordings(indicators(OBJECTIVES), Windows())
    shares = {rule["record"] for rule in made if "bad_share" in rule["record"]}
    assert shares == {f"pointsman:slo_bad_share:rate{window}" for window in ("5m", "1h", "30m", "6h", "2h", "1d", "3d")}
    assert {rule["record"] for rule in made} - shares == {
        "pointsman:slo_events:increase1h",
        "pointsman:slo_events:increase1d",
    }
    assert len(made) == 3 * 9
    assert all("WINDOW" not in rule["expr"] for rule in made)


def test_a_bar_that_is_no_bucket_is_refused():
    """The share above it could only be guessed."""
    with pytest.raises(ValueError, match="is no bucket"):
        indicators(ObjectiveSettings(overhead_p95_s=0.046))
