from __future__ import annotations

from pathlib import Path

import pytest

from pointsman.config.models import trained
from pointsman.core.classify.golden import GOLDEN
from pointsman.core.classify.pins import ConversationPins
from pointsman.core.classify.pipeline import Classifier
from pointsman.model.settings import Settings

SETTINGS = Settings()


@pytest.mark.parametrize(("model", "cause"), [(trained(SETTINGS, Path()), "model"), (None, "rule")])
def test_the_default_settings_answer_each_with_room_to_spare(model, cause) -> None:
    """By the model that comes along and by the rules alone: both roles are there, and none hangs on a threshold."""
    classifier = Classifier(SETTINGS.classifier, SETTINGS.classes, model)
    pins = ConversationPins(1.0, 1)
    for text, role in GOLDEN:
        found = classifier.dry(ask=text, hint=None, client="", conversation_id=None, now=0.0, pins=pins)
        assert found.message_class == classifier.resolve(role), text
        assert found.cause == cause
        assert found.confidence > 0.9
    assert {role for _, role in GOLDEN} == {"strategic", "tactical"}
