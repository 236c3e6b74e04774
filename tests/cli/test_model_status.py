from __future__ import annotations

import json

from pointsman.cli.model_status import classifier

FOUND = {
    "model": "default-1",
    "threshold": 0.6,
    "looked_at": 2000,
    "abstain_share": 0.04,
    "abstain_share_max": 0.3,
    "abstain_day_cost": 90.0,
    "drift": {"confidence": 0.3, "class": 0.1},
    "feedback": {"label": 2, "ok": 1, "failed": 0},
    "delta": {"state": "shadow", "alarm": ""},
}


def test_the_classifier_in_one_line():
    """What is not known, or is nothing, is left out."""
    told = classifier(FOUND)
    assert told.startswith("by default-1, 4")
    assert told.endswith("drift 0.30 (confidence), 3 times feedback, what it taught is only compared with the model")
    few = {
        **FOUND,
        "abstain_share": None,
        "drift": {},
        "feedback": {"label": 0},
        "delta": {"state": "none", "alarm": "!"},
    }
    assert classifier(few) == "by default-1, !"


def test_the_status_of_the_classifier_is_shown(router):
    """With what was learnt, once there is something."""
    message = json.loads(router("send", "fix the typo in line 12", "-o", "json").out)["id"]
    router("feedback", message, "--label", "strategic")
    ran = router("model", "status")
    assert ran.code == 0
    assert "what it taught is only compared with the model" in ran.out
    assert "proof" in ran.out
    found = json.loads(router("model", "status", "-o", "json").out)
    assert found["delta"]["state"] == "shadow"
    assert "classes   by" in router("status").out


def test_what_was_learnt_is_forgotten_after_a_yes(router):
    """Without one nothing happens."""
    message = json.loads(router("send", "fix the typo in line 12", "-o", "json").out)["id"]
    router("feedback", message, "--label", "strategic")
    asked = router("model", "rollback-feedback")
    assert asked.code == 2
    assert json.loads(router("model", "status", "-o", "json").out)["delta"]["state"] == "shadow"
    assert router("model", "rollback-feedback", "--yes").out == "forgotten; the model decides alone\n"
    found = json.loads(router("model", "rollback-feedback", "--yes", "-o", "json").out)
    assert found["delta"]["state"] == "none"
    assert found["delta"]["saved"], "a service keeps what it learns, and that it was forgotten"
