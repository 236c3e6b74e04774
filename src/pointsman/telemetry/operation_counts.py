"""Counts what happens to a rollout, to the health of components and to security; a part of `metrics`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pointsman.model.events import (
    FellBackToLegacy,
    HealthChecked,
    LegacyAnswered,
    Mirrored,
    RolloutMoved,
    SecurityIncident,
)
from pointsman.telemetry.registry import Registry


class OperationCounts:
    """Counters of the rollout, of health and of security.

    Attributes:
        listeners: by the type of event.
        candidate_given: counts a message that the candidate was given.
    """

    def __init__(self, registry: Registry) -> None:
        self._lanes = registry.counter("pointsman_rollout_messages_total").add
        self._transitions = registry.counter("pointsman_rollout_transitions_total").add
        self._fallbacks = registry.counter("pointsman_rollout_fallbacks_total").add
        self._legacy = registry.histogram("pointsman_legacy_seconds").observe
        self._legacy_failures = registry.counter("pointsman_legacy_failures_total").add
        self._outcomes = registry.counter("pointsman_shadow_outcomes_total").add
        self._differences = registry.counter("pointsman_shadow_differences_total").add
        self._drops = registry.counter("pointsman_shadow_drops_total").add
        self._checks = registry.counter("pointsman_health_checks_total").add
        self._incidents = registry.counter("pointsman_security_incidents_total").add
        self.listeners: dict[type, Callable[[Any], None]] = {
            LegacyAnswered: self._legacy_answered,
            FellBackToLegacy: self._fell_back,
            Mirrored: self._mirrored,
            RolloutMoved: self._moved,
            HealthChecked: self._checked,
            SecurityIncident: self._incident,
        }

    def candidate_given(self) -> None:
        """Count a message of the candidate's lane, accepted or refused."""
        self._lanes(("candidate",))

    def _legacy_answered(self, event: LegacyAnswered) -> None:
        self._lanes(("legacy",))
        self._legacy(event.took_s)
        if not event.ok:
            self._legacy_failures()

    def _fell_back(self, event: FellBackToLegacy) -> None:
        self._fallbacks((event.reason,))

    def _mirrored(self, event: Mirrored) -> None:
        self._outcomes((event.outcome,))
        if event.outcome == "compared":
            self._differences((event.kind,))
        elif event.outcome == "dropped":
            self._drops((event.kind,))

    def _moved(self, event: RolloutMoved) -> None:
        self._transitions((event.event,))

    def _checked(self, event: HealthChecked) -> None:
        self._checks((event.status,))

    def _incident(self, event: SecurityIncident) -> None:
        self._incidents((event.kind,))
