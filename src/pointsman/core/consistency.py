"""Contradictions in settings, which no single value shows: names that lead nowhere, names that stand twice, bad rules.

Whoever takes settings in, from a file or from a program, asks here.
"""

from __future__ import annotations

from pointsman.core.classify.rules import check_rules
from pointsman.core.cost_rules import check_costs
from pointsman.core.rollout_rules import check_rollout
from pointsman.core.settings_check import check
from pointsman.model.errors import SettingsError
from pointsman.model.settings import Settings


def contradictions(settings: Settings) -> list[tuple[str, str]]:
    """Return `(key, mistake)` for each contradiction; an empty list means that the settings can be used."""
    return [*check(settings), *check_rules(settings.classifier.rules), *check_costs(settings), *check_rollout(settings)]


def require(settings: Settings) -> None:
    """Raise SettingsError with every contradiction in the settings, if there is one."""
    mistakes = [f"{key}: {mistake}" for key, mistake in contradictions(settings)]
    if mistakes:
        raise SettingsError(mistakes)
