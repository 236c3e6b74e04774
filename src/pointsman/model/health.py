"""How a component is: what a look at it found, and what is told and kept of that. Plain data, no decision.

What follows from it, for those that depend on the component and for the whole, is decided in `core.health_board`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec


class HealthStatus(StrEnum):
    """The words of `application/health+json`: all is well, somebody should look at it, it does not do its work."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"


_ORDER: Final = (HealthStatus.PASS, HealthStatus.WARN, HealthStatus.FAIL)


def worst(statuses: Iterable[HealthStatus]) -> HealthStatus:
    """Return the worst of some statuses; `pass` where there is none."""
    return max(statuses, key=_ORDER.index, default=HealthStatus.PASS)


class Finding(msgspec.Struct, frozen=True, gc=False):
    """What one look at a component found.

    Attributes:
        status: how it is.
        output: one sentence: what was seen, and what to do where that is not well.
        observed: the figure that decided, in `unit`; None where there is none.
        limit: what it is held against, in `unit`.
    """

    status: HealthStatus
    output: str
    observed: float | None = None
    unit: str = ""
    limit: float | None = None


class HealthResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a component stands now.

    Attributes:
        component: its name, such as `engine`, `pool:coders` or `worker:coder-1`.
        kind: what it is: its name without that of the pool or worker.
        status: the worse of its last deep check and its last cheap probe, and what its dependencies make of that.
        output: one sentence, see `Finding`.
        observed, unit, limit: see `Finding`.
        because_of: components it depends on that have failed.
        at_wall: Unix seconds of its last deep check; None before the first.
        took_s: seconds that check took; None before the first.
        since_wall: Unix seconds since when its status has been this one.
    """

    component: str
    kind: str
    status: HealthStatus
    output: str
    observed: float | None
    unit: str
    limit: float | None
    because_of: tuple[str, ...]
    at_wall: float | None
    took_s: float | None
    since_wall: float


class HealthMark(msgspec.Struct, frozen=True, gc=False):
    """What is kept of one deep check.

    Attributes:
        component: its name.
        at_wall: Unix seconds.
        status: how the component was.
        took_s: seconds.
        output: why, where the status is not `pass`; else empty.
    """

    component: str
    at_wall: float
    status: HealthStatus
    took_s: float
    output: str = ""


class HealthMove(msgspec.Struct, frozen=True):
    """A component's status has changed; `output` says why it is what it is now."""

    component: str
    was: HealthStatus
    now: HealthStatus
    output: str


def passed(output: str, observed: float | None = None, unit: str = "", limit: float | None = None) -> Finding:
    """Return the finding that all is well."""
    return Finding(HealthStatus.PASS, output, observed, unit, limit)


def warned(output: str, observed: float | None = None, unit: str = "", limit: float | None = None) -> Finding:
    """Return the finding that somebody should look at it."""
    return Finding(HealthStatus.WARN, output, observed, unit, limit)


def failed(output: str, observed: float | None = None, unit: str = "", limit: float | None = None) -> Finding:
    """Return the finding that it does not do its work."""
    return Finding(HealthStatus.FAIL, output, observed, unit, limit)
