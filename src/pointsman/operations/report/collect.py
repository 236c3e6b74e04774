"""Collects the evidence of a report from a running router.

Decides what is asked for, and that a part which cannot answer costs the report that part and nothing else: why stands
in `missing`. Nothing is made up in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pointsman.model.errors import PointsmanError
from pointsman.operations.report.junit import TestRun

Get = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""Asks the router for a path with a query; raises PointsmanError."""

_MOST: Final = 1000
_PAGES: Final = 20
_HEALTH_MARKS: Final = 20_000
"""A week of 30 components."""

SLO_SHORTEST_S: Final = 60.0


@dataclass(slots=True)
class Evidence:
    """What was found. Empty where a part did not answer; `missing` says why, by the name of the attribute.

    Attributes:
        url: of the router.
        status: of the router at a glance.
        rollout: how it stands.
        history: its steps, oldest first, those of the rollout at hand.
        shadow: counts, agreement and samples of differences.
        slo: objectives, over the rollout or the window of the settings, whichever is shorter.
        health: components as they are.
        health_history: deep checks since the rollout began, or of all that is known; newest first.
        tests: how they ended; None where nobody says.
    """

    url: str
    status: Mapping[str, Any] = field(default_factory=dict)
    rollout: Mapping[str, Any] = field(default_factory=dict)
    history: list[Mapping[str, Any]] = field(default_factory=list)
    shadow: Mapping[str, Any] = field(default_factory=dict)
    slo: Mapping[str, Any] = field(default_factory=dict)
    health: list[Mapping[str, Any]] = field(default_factory=list)
    health_history: list[Mapping[str, Any]] = field(default_factory=list)
    tests: TestRun | None = None
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def now(self) -> float | None:
        """The router's own clock, Unix seconds; None where nothing told it."""
        at = self.slo.get("at")
        return float(at) if at is not None else None

    @property
    def began(self) -> float | None:
        """First step of the rollout, Unix seconds."""
        return self.history[0]["at"] if self.history else None


def collect(get: Get, url: str, now: float, tests: TestRun | None) -> Evidence:
    """Ask a router for everything.

    Args:
        get: asks it.
        url: as it is named in the report.
        now: Unix seconds.
        tests: how tests ended.

    Raises:
        PointsmanError: it does not even say its status, so that there is nothing to report on.
    """
    found = Evidence(url, status=get("/api/v1/status", {}), tests=tests)
    ask = _Asking(get, found.missing)
    found.rollout = ask("rollout", "/api/v1/rollout")
    if not found.rollout.get("configured", False):
        found.missing.setdefault("rollout", "no old router is configured, so there is no rollout")
    found.history = _of_this(found.rollout, _history(ask))
    found.shadow = ask("shadow", "/api/v1/rollout/differences", limit=_MOST)
    window = {} if found.began is None else {"window_s": max(SLO_SHORTEST_S, now - found.began)}
    found.slo = ask("slo", "/api/v1/slo", by="hour", **_bounded(window))
    found.health = [one for of in (ask("health", "/api/v1/health").get("checks") or {}).values() for one in of]
    since = {} if found.began is None else {"since": found.began}
    marks = ask("health_history", "/api/v1/health/history", limit=_HEALTH_MARKS, **since)
    found.health_history = marks.get("checks") or []
    return found


class _Asking:
    """Asks, and remembers why there was no answer."""

    def __init__(self, get: Get, missing: dict[str, str]) -> None:
        self._get = get
        self._missing = missing

    def __call__(self, name: str, path: str, **query: Any) -> Mapping[str, Any]:
        try:
            return self._get(path, query)
        except PointsmanError as error:
            self._missing[name] = str(error)
            return {}


def _history(ask: _Asking) -> list[Mapping[str, Any]]:
    """Return all steps, oldest first, page by page."""
    entries: list[Mapping[str, Any]] = []
    before: int | None = None
    for _ in range(_PAGES):
        page = ask("history", "/api/v1/rollout/history", limit=_MOST, **({} if before is None else {"before": before}))
        entries += page.get("entries") or []
        before = page.get("before")
        if before is None:
            break
    return entries[::-1]


def _of_this(rollout: Mapping[str, Any], entries: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the steps of the rollout at hand, or of the last one where none is."""
    name = rollout.get("rollout_id") or (entries[-1]["rollout_id"] if entries else "")
    return [entry for entry in entries if entry["rollout_id"] == name]


def _bounded(window: dict[str, float]) -> dict[str, float]:
    return {name: min(seconds, 2_592_000.0) for name, seconds in window.items()}
