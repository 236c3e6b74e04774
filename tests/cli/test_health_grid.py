from __future__ import annotations

from typing import Any

from pointsman.cli.health_grid import DAY_S, grid

NOW = 1_800_000_000.0


def check(component: str, hours_ago: float, status: str = "pass", output: str = "") -> dict[str, Any]:
    """Return a past check as the API tells it."""
    return {"component": component, "at_wall": NOW - 3_600.0 * hours_ago, "status": status, "output": output}


def lines(*checks: dict[str, Any], width: int = 120) -> list[str]:
    """Return the picture as text; the API tells the newest first."""
    seen = {"checks": sorted(checks, key=lambda one: -one["at_wall"])}
    return ["".join(text for text, _ in line) for line in grid(seen, width, NOW)]


def test_each_check_has_a_cell_where_there_is_room() -> None:
    """96 of them, the newest to the right; none where there was no check."""
    shown = lines(*(check("engine", (at + 0.5) / 4) for at in range(96)), check("disk", 0.1, "fail", "full"))
    assert shown[2] == "engine  " + "·" * 96
    assert shown[1] == "disk    " + " " * 95 + "✗"
    assert shown[0].startswith("        -24 h")
    assert shown[0].endswith("now")
    assert len(shown[0]) == len(shown[2])


def test_a_check_beside_its_cell_is_no_gap() -> None:
    """Chance spreads checks by a fifth of an interval; a check that was not made is one."""
    early = [check("engine", (at + (0.9 if at % 2 else 1.05)) / 4) for at in range(96)]
    assert lines(*early)[1] == "engine  " + "·" * 96
    lacking = [check("engine", (at + 0.5) / 4) for at in range(96) if at not in (10, 11)]
    assert lines(*lacking)[1] == "engine  " + "·" * 84 + "  " + "·" * 10


def test_on_a_narrow_screen_the_worst_of_a_cell_shows() -> None:
    """At 80 columns a cell is half an hour, or an hour."""
    checks = [check("engine", (at + 0.5) / 4, "warn" if at == 7 else "pass", "late") for at in range(96)]
    shown = lines(*checks, width=80)
    assert shown[1] == "engine  " + "·" * 44 + "!" + "·" * 3
    assert "30.0 min" in shown[2]
    long = lines(check("worker:with-a-name-that-is-much-too-long-for-it", 1.0), width=60)
    assert max(map(len, long)) <= 62
    assert "…" in long[1]


def test_what_was_not_well_is_told_once_each_time_with_its_reason() -> None:
    """The newest first; going on is no news, coming back is."""
    shown = lines(
        check("engine", 5.0, "fail", "broken"),
        check("engine", 4.0, "fail", "still broken"),
        check("engine", 3.0),
        check("engine", 2.0, "warn", "odd"),
        check("disk", 1.0, "fail", "full"),
    )
    told = [line.split("  ", 1)[1] for line in shown if "20" in line[:3]]
    assert told == ["✗ disk: full", "! engine: odd", "✗ engine: broken"]


def test_many_changes_are_counted() -> None:
    """A screen is no log."""
    checks = [check("a", at / 10, "pass" if at % 2 else "fail", "flaps") for at in range(1, 100)]
    assert lines(*checks)[-1].startswith("and 29 more")


def test_a_day_without_checks_says_what_to_do() -> None:
    """Checks begin within minutes."""
    assert lines() == ["No checks in the last 24 hours. `pointsman health --check` looks now."]
    assert DAY_S == 86_400.0
