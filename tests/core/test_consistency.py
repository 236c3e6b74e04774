"""Contradictions in settings: every one is found at once, under the key where it stands."""

from __future__ import annotations

from pointsman.core.consistency import contradictions
from pointsman.model.settings import ClassifierSettings, ClassSettings, PoolSettings, RuleSettings, Settings


def test_default_settings_contradict_nothing() -> None:
    """What nobody changed can be used."""
    assert contradictions(Settings()) == []


def test_mistakes_of_every_kind_are_found_at_once() -> None:
    """A pool that is nowhere, a class that is nowhere, and a rule that says nothing: three keys."""
    settings = Settings(
        classes={"tactical": ClassSettings(pool="coders", fallback=["nowhere"])},
        pools={"coders": PoolSettings()},
        classifier=ClassifierSettings(
            fallback_class="strategic", rules=[RuleSettings(phrase="...", message_class="tactical")]
        ),
    )
    assert [key for key, _ in contradictions(settings)] == [
        "classes.tactical.fallback",
        "classifier.fallback_class",
        "classifier.rules.0.phrase",
    ]
