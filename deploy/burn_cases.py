"""Stories of the alerts on burn rates: hours in which a share of the messages goes wrong."""

from __future__ import annotations

from typing import Final

from deploy.stories import JOB, Case, rises

ENDED: Final = "pointsman_messages_ended_total"
DELIVERED: Final = f'{ENDED}{{{JOB},status="delivered",class="tactical"}}'
EXPIRED: Final = f'{ENDED}{{{JOB},status="expired",class="tactical"}}'
FAILED: Final = f'{ENDED}{{{JOB},status="failed",class="tactical"}}'
CANCELLED: Final = f'{ENDED}{{{JOB},status="cancelled",class="tactical"}}'
DEAD: Final = f'{ENDED}{{{JOB},status="dead",class="tactical"}}'
ADMITTED: Final = f'pointsman_messages_admitted_total{{{JOB},class="tactical",priority="normal"}}'
UNAVAILABLE: Final = f'pointsman_messages_refused_total{{{JOB},reason="unavailable",class="none"}}'
FLOODING: Final = f'pointsman_messages_refused_total{{{JOB},reason="flooding",class="none"}}'
FAULTS: Final = f"pointsman_request_faults_total{{{JOB}}}"
WITHIN: Final = f'pointsman_overhead_seconds_bucket{{{JOB},le="0.045"}}'
HANDED_OUT: Final = f"pointsman_overhead_seconds_count{{{JOB}}}"


def _hour(good: float, bad: float) -> str:
    return rises((60, good), (60, bad), (60, good))


def _day(good: float, bad: float) -> str:
    return rises((60, good), (360, bad), (420, good))


def _burn(name: str, series: tuple[tuple[str, str], ...], *, fires: int, quiet: tuple[int, int]) -> Case:
    return Case(name, series, {"job": "pointsman", "slo": name[9:-8].lower()}, (fires,), quiet)


BURNS: Final = (
    _burn(
        "PointsmanErrorsBurnFast",
        ((DELIVERED, _hour(600, 300)), (DEAD, _hour(0, 300))),
        fires=90,
        quiet=(60, 155),
    ),
    _burn(
        "PointsmanErrorsBurnFast",
        ((DELIVERED, rises((60, 0.02), (60, 0.02))), (DEAD, rises((60, 0), (60, 0.1)))),
        fires=-1,
        quiet=(60, 115),
    ),
    _burn(
        "PointsmanErrorsBurnSlow",
        ((DELIVERED, _day(600, 570)), (DEAD, _day(0, 30))),
        fires=410,
        quiet=(60, 800),
    ),
    _burn(
        "PointsmanErrorsBurnFast",
        ((DELIVERED, _day(600, 570)), (DEAD, _day(0, 30))),
        fires=-1,
        quiet=(60, 410),
    ),
    _burn(
        "PointsmanOverheadBurnFast",
        ((HANDED_OUT, _hour(600, 600)), (WITHIN, _hour(600, 0))),
        fires=90,
        quiet=(60, 155),
    ),
    _burn(
        "PointsmanOverheadBurnSlow",
        ((HANDED_OUT, _day(600, 600)), (WITHIN, _day(600, 540))),
        fires=410,
        quiet=(60, 800),
    ),
    _burn(
        "PointsmanAvailabilityBurnFast",
        (
            (ADMITTED, _hour(1000, 900)),
            (UNAVAILABLE, _hour(0, 50)),
            (FAULTS, _hour(0, 50)),
            (FLOODING, _hour(300, 300)),
        ),
        fires=90,
        quiet=(60, 155),
    ),
    _burn(
        "PointsmanAvailabilityBurnSlow",
        ((ADMITTED, _day(1000, 996)), (UNAVAILABLE, _day(0, 4)), (FAULTS, _day(0, 0))),
        fires=410,
        quiet=(60, 800),
    ),
    _burn(
        "PointsmanAvailabilityBurnFast",
        ((ADMITTED, _hour(1000, 100)), (UNAVAILABLE, _hour(0, 0)), (FAULTS, _hour(0, 0)), (FLOODING, _hour(0, 900))),
        fires=-1,
        quiet=(60, 110),
    ),
)

# What its sender is to blame for, or wanted, is no error; a bug of ours is no answer.
BLAME: Final = (
    _burn(
        "PointsmanErrorsBurnFast",
        ((DELIVERED, _hour(1000, 100)), (DEAD, _hour(0, 0)), (FAILED, _hour(0, 500)), (CANCELLED, _hour(0, 400))),
        fires=-1,
        quiet=(60, 110),
    ),
    _burn(
        "PointsmanErrorsBurnFast",
        (
            (DELIVERED, _hour(600, 300)),
            (EXPIRED, _hour(0, 300)),
            (FAILED, _hour(3000, 3000)),
            (CANCELLED, _hour(3000, 3000)),
        ),
        fires=90,
        quiet=(60, 155),
    ),
    _burn(
        "PointsmanAvailabilityBurnFast",
        ((ADMITTED, _hour(1000, 900)), (UNAVAILABLE, _hour(0, 0)), (FAULTS, _hour(0, 100))),
        fires=90,
        quiet=(60, 155),
    ),
)
