"""The components that every router has, whatever its fleet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pointsman.runtime.health.admission import AdmissionCheck
from pointsman.runtime.health.breakers import BreakersCheck
from pointsman.runtime.health.classifier import ClassifierCheck
from pointsman.runtime.health.clock import ClockCheck
from pointsman.runtime.health.disk import DiskCheck
from pointsman.runtime.health.engine import EngineCheck
from pointsman.runtime.health.learning import LearningCheck
from pointsman.runtime.health.premises import Check, Premises
from pointsman.runtime.health.rollout import RolloutCheck
from pointsman.runtime.health.scheduler import SchedulerCheck


def standing_checks(house: Premises, beside: Path) -> Iterator[Check]:
    """Return their checks, those that others depend on first.

    Args:
        house: the router.
        beside: directory that the names of its files start from.
    """
    yield AdmissionCheck(house)
    yield ClassifierCheck(house)
    yield LearningCheck(house)
    yield EngineCheck(house)
    yield SchedulerCheck(house)
    yield BreakersCheck(house)
    yield RolloutCheck(house, beside)
    yield DiskCheck(lambda: directories(house, beside), house.settings.health.min_free_bytes)
    yield ClockCheck(house.clock)


def directories(house: Premises, beside: Path) -> Iterator[Path]:
    """Return the directories that are written to now: of the ledger, of the rollout's record, of journals."""
    settings = house.settings
    if settings.budgets:
        yield (beside / settings.costs.ledger).parent
    if settings.rollout.legacy is not None:
        yield (beside / settings.rollout.record).parent
    for journal in (settings.health.journal, settings.objectives.journal):
        if (beside / journal).exists():
            yield (beside / journal).parent
