from __future__ import annotations

from typing import Any

import pytest

from pointsman.model.events import (
    FellBackToLegacy,
    HealthChecked,
    LegacyAnswered,
    Mirrored,
    RolloutMoved,
    SecurityIncident,
)
from pointsman.model.rollout import DIFFERENCES, INCIDENTS, SHADOW_DROPS, State
from pointsman.model.settings import Settings
from pointsman.telemetry.metrics import Metrics
from tests.telemetry.test_metrics import NOW, after

MOVED = RolloutMoved(1.0, "promote", State.SHADOW, State.PARTIAL, "partial-25", 0.25, "alice")


def counted(*events: Any) -> dict[tuple[Any, ...], float]:
    """What these events are counted as."""
    return after(*events)


def test_answers_of_the_old_router_are_counted_with_their_time():
    """A failed one is also among the failures."""
    assert counted(LegacyAnswered(1.0, "c", 0.25, True), LegacyAnswered(1.0, "c", 0.5, False)) == {
        ("rollout_messages_total", "legacy"): 2,
        ("legacy_seconds_count",): 2,
        ("legacy_seconds_sum",): 0.75,
        ("legacy_failures_total",): 1,
    }


@pytest.mark.parametrize(
    ("reason", "label"), [("unavailable", "unavailable"), ("worker_unreachable", "worker_unreachable"), ("x", "other")]
)
def test_a_fallback_is_counted_by_its_reason(reason, label):
    """Codes of refusals and of failures; what is neither is `other`."""
    assert counted(FellBackToLegacy(1.0, "c", reason)) == {("rollout_fallbacks_total", label): 1}


@pytest.mark.parametrize("kind", DIFFERENCES)
def test_a_comparison_is_counted_by_what_it_came_to(kind):
    """And among the compared."""
    assert counted(Mirrored(1.0, "compared", kind)) == {
        ("shadow_outcomes_total", "compared"): 1,
        ("shadow_differences_total", kind): 1,
    }


@pytest.mark.parametrize("kind", SHADOW_DROPS)
def test_a_dropped_message_is_counted_by_why(kind):
    """And among the dropped."""
    assert counted(Mirrored(1.0, "dropped", kind)) == {
        ("shadow_outcomes_total", "dropped"): 1,
        ("shadow_drops_total", kind): 1,
    }


def test_a_comparison_that_took_too_long_has_no_kind():
    """It is only an outcome."""
    assert counted(Mirrored(1.0, "timed_out", "")) == {("shadow_outcomes_total", "timed_out"): 1}


def test_steps_checks_and_incidents_are_counted():
    """Each by what it was."""
    assert counted(MOVED, HealthChecked(1.0, "engine", "warn", 0.1), SecurityIncident(1.0, INCIDENTS[0])) == {
        ("rollout_transitions_total", "promote"): 1,
        ("health_checks_total", "warn"): 1,
        ("security_incidents_total", INCIDENTS[0]): 1,
    }


def test_every_kind_of_incident_is_there_from_the_start():
    """Or the first would be no rise, and call nobody."""
    body, _ = Metrics(Settings()).exposition("", NOW)
    for kind in INCIDENTS:
        assert f'pointsman_security_incidents_total{{kind="{kind}"}} 0' in body.decode().splitlines()
