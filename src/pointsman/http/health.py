"""The native API for health: how every component stands, a check now, and what past checks found.

The answer has the shape of `application/health+json` (draft-inadarei-api-health-check-06): `status`, and `checks` by
component. Its status is 503 where something fails, so that whoever cannot read can tell; a warning is none of that.
Whoever asks again and again causes no work: reading shows the last results, and a check that runs is joined.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec

from pointsman.http import wire
from pointsman.http.exchange import Answer, Request, Response, ok
from pointsman.http.messages import instant_of
from pointsman.http.problems import invalid
from pointsman.model.health import HealthMark, HealthResult, HealthStatus, worst

MEDIA_TYPE: Final = "application/health+json"

MOST_LISTED: Final = 100_000
LISTED: Final = 1_000


class HealthCheck(msgspec.Struct, frozen=True, kw_only=True, rename={"kind": "componentType"}):
    """How one component stands.

    Attributes:
        component: its name.
        kind: what it is; the name without that of a pool or worker.
        status: pass, warn or fail; the worse of its last deep check and its last cheap probe.
        observed: the figure that decided, in `unit`; null where there is none.
        unit: of `observed` and `limit`; may be empty.
        limit: what the figure is held against.
        time: of its last deep check, Unix seconds; null before the first.
        age_s: seconds since then.
        took_s: seconds that check took.
        since: Unix seconds since when its status has been this one.
        output: one sentence; where it is not well, what to do.
        because_of: components it depends on that have failed.
    """

    component: str
    kind: str
    status: HealthStatus
    observed: float | None
    unit: str
    limit: float | None
    time: float | None
    age_s: float | None
    took_s: float | None
    since: float
    output: str
    because_of: tuple[str, ...]


class HealthReport(msgspec.Struct, frozen=True, kw_only=True):
    """How every component stands.

    Attributes:
        status: the worst of them.
        version: of Pointsman.
        summary: components by status.
        output: what is wrong with the journal of past checks; empty while all is well.
        checks: by component; a list each, as health+json has it.
    """

    status: HealthStatus
    version: str
    summary: dict[str, int]
    output: str
    checks: dict[str, list[HealthCheck]]


class HealthHistory(msgspec.Struct, frozen=True):
    """Past deep checks, the newest first; `at_wall` in Unix seconds, `output` where the status was not `pass`."""

    checks: list[HealthMark]


async def show(request: Request) -> Answer:
    """Show how every component stands.

    The last results; nothing is looked at for it. 503 where a component fails.
    """
    component = request.query("component").get("component")
    return _report(request, request.surface.health.latest(component))


async def check(request: Request) -> Answer:
    """Look at every component now, and show how they stand.

    Takes at most little longer than `health.check_timeout_s`. Where a check runs already, it is joined.
    """
    component = request.query("component").get("component")
    return _report(request, await request.surface.health.check(component))


async def history(request: Request) -> Answer:
    """Show what past deep checks found."""
    query = request.query("component", "since", "limit")
    since = instant_of(query["since"]) if "since" in query else 0.0
    return ok(HealthHistory(request.surface.health.history(query.get("component"), since, _limit(query.get("limit")))))


def _limit(value: str | None) -> int:
    if value is None:
        return LISTED
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:9]) <= MOST_LISTED:
        raise invalid(f"limit: got {wire.shorten(value)}, expected 1 to {MOST_LISTED}", "limit")
    return int(value)


def _report(request: Request, results: list[HealthResult]) -> Response:
    surface = request.surface
    wall = surface.clock.wall()
    counts = Counter(result.status for result in results)
    status = worst(counts)
    report = HealthReport(
        status=status,
        version=surface.version,
        summary={one.value: counts[one] for one in HealthStatus},
        output=surface.health.trouble,
        checks={result.component: [_check(result, wall)] for result in results},
    )
    code = 503 if status is HealthStatus.FAIL else 200
    return Response(code, wire.encode(report), MEDIA_TYPE.encode(), ((b"cache-control", b"no-store"),))


def _check(result: HealthResult, wall: float) -> HealthCheck:
    return HealthCheck(
        component=result.component,
        kind=result.kind,
        status=result.status,
        observed=result.observed,
        unit=result.unit,
        limit=result.limit,
        time=result.at_wall,
        age_s=None if result.at_wall is None else round(max(0.0, wall - result.at_wall), 3),
        took_s=result.took_s,
        since=result.since_wall,
        output=result.output,
        because_of=result.because_of,
    )
