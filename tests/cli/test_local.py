from __future__ import annotations

import pytest

from pointsman.cli.local import Local
from pointsman.model.errors import SettingsError
from pointsman.model.settings import ClassifierSettings, Settings
from pointsman.runtime.preview import Preview


def test_a_message_is_judged_by_the_live_rules_and_nothing_is_sent():
    """A dry run as over HTTP."""
    decided = Local(Settings()).preview(text="fix the typo")
    assert isinstance(decided, Preview)
    assert (decided.message_class, decided.pool) == ("tactical", "coders")


def test_a_message_that_would_be_refused_is_answered_with_code_and_reason():
    """As one text."""
    decided = Local(Settings()).preview(text="x", class_="nope")
    assert isinstance(decided, str)
    assert decided.startswith("unknown_class: class: got 'nope'")


def test_settings_that_contradict_themselves_are_refused():
    """Before anything is judged by them."""
    with pytest.raises(SettingsError):
        Local(Settings(classifier=ClassifierSettings(fallback_class="nope")))
