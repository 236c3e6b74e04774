"""Feedback on a running router: whose it may be, what is made of it, and how the classifier says it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from pointsman.config.models import load
from pointsman.core.classify.drift import LEAST
from pointsman.model.errors import Forbidden, NotFound, UnknownClass, UsageError
from pointsman.model.settings import RuleSettings
from tests.runtime.taught import Desk, model_file


async def test_a_label_is_learnt_for_the_class_that_it_names_or_an_alias_of_it(tmp_path: Path) -> None:
    """And it is only compared at first."""
    async with Desk(tmp_path) as desk:
        for label in ("strategic", "strong"):
            told = desk.learning.feedback(desk.send("fix the garden"), client="c", label=label)
            assert (told.message_class, told.weight, told.replaced, told.note) == ("strategic", 1.0, False, "")
            assert told.delta == "shadow"
        assert desk.learning.status().feedback == {"label": 2, "ok": 0, "failed": 0}


async def test_outcomes_speak_for_a_dearer_class_or_weakly_for_the_cheap_one(tmp_path: Path) -> None:
    """Of the dear class an outcome says nothing."""
    async with Desk(tmp_path) as desk:
        cheap, dear = desk.send("fix the typo"), desk.send("plan the design")
        failed = desk.learning.feedback(cheap, client="c", outcome="failed")
        assert (failed.message_class, failed.weight) == ("strategic", 1.0)
        well = desk.learning.feedback(cheap, client="c", outcome="ok")
        assert (well.message_class, well.weight, well.replaced) == ("tactical", 0.25, True)
        for outcome, how in (("ok", "well"), ("failed", "badly")):
            told = desk.learning.feedback(dear, client="c", outcome=outcome)
            assert (told.message_class, told.weight) == (None, 0.0)
            assert told.note == f"that a message of class strategic went {how} says nothing of another class"
        assert desk.learning.status().feedback == {"label": 0, "ok": 2, "failed": 2}
        assert desk.learning.status().delta.feedbacks == 1


async def test_only_the_client_of_a_message_may_say_what_came_of_it(tmp_path: Path) -> None:
    """Anybody else changes nothing."""
    async with Desk(tmp_path) as desk:
        message = desk.send("fix the typo", "alice")
        for client in ("bob", "alice/agent", ""):
            with pytest.raises(Forbidden, match="another client"):
                desk.learning.feedback(message, client=client, label="strategic")
        assert desk.learning.status().delta.state == "none"
        assert desk.learning.feedback(message, client="alice", label="strategic").weight == 1.0


async def test_what_cannot_be_taken_says_why_and_changes_nothing(tmp_path: Path) -> None:
    """An unknown message, an unknown class, both, neither, another outcome."""
    async with Desk(tmp_path) as desk:
        message, feedback = desk.send("fix the typo"), desk.learning.feedback
        with pytest.raises(NotFound, match="'m99'"):
            feedback("m99", client="c", label="strategic")
        with pytest.raises(UnknownClass, match="'nope'; there are: strategic, tactical"):
            feedback(message, client="c", label="nope")
        with pytest.raises(UsageError, match="exactly one"):
            feedback(message, client="c")
        with pytest.raises(UsageError, match="exactly one"):
            feedback(message, client="c", label="strategic", outcome="ok")
        with pytest.raises(UsageError, match="got 'so so', expected ok or failed"):
            feedback(message, client="c", outcome="so so")
        assert sum(desk.learning.status().feedback.values()) == 0


async def test_as_many_messages_are_remembered_as_decision_records(tmp_path: Path) -> None:
    """The oldest is forgotten first."""
    async with Desk(tmp_path, keep_decisions=2) as desk:
        first, second, third = (desk.send("fix the typo") for _ in range(3))
        with pytest.raises(NotFound, match="too long ago"):
            desk.learning.feedback(first, client="c", label="strategic")
        for message in (second, third):
            assert desk.learning.feedback(message, client="c", label="strategic").weight == 1.0


async def test_nothing_is_learnt_where_the_words_alone_did_not_decide(tmp_path: Path) -> None:
    """A hint, a conversation, a forced rule; and with no model there is nothing to learn beside."""
    forced = [RuleSettings(phrase="garden", message_class="tactical", force=True)]
    async with Desk(tmp_path, rules=False) as desk:
        hinted = desk.send("fix the typo", hint="tactical")
        desk.send("plan the design", conversation_id="k")
        pinned = desk.send("fix the typo", conversation_id="k")
        for message, cause in ((hinted, "hint"), (pinned, "pin")):
            told = desk.learning.feedback(message, client="c", label="strategic")
            assert (told.weight, told.delta) == (0.0, "none")
            assert f"came of a {cause}" in told.note
    async with Desk(tmp_path) as desk:
        desk.settings.classifier.rules.extend(forced)
        desk.use(load(model_file(tmp_path, "forced")))
        told = desk.learning.feedback(desk.send("fix the garden"), client="c", label="strategic")
        assert "came of a rule" in told.note
    async with Desk(tmp_path, rules=True) as desk:
        told = desk.learning.feedback(desk.send("fix the typo"), client="c", label="strategic")
        assert (told.weight, told.delta) == (0.0, "none")
        assert desk.learning.rollback().delta.state == "none"


async def test_a_message_of_another_model_teaches_this_one_nothing(tmp_path: Path) -> None:
    """But the same model, read again, goes on with what was learnt."""
    async with Desk(tmp_path) as desk:
        message = desk.send("fix the garden")
        desk.learning.feedback(message, client="c", label="strategic")
        desk.use(load(model_file(tmp_path)))
        assert desk.learning.status().delta.feedbacks == 1
        assert desk.learning.feedback(message, client="c", label="tactical").replaced
        desk.use(load(model_file(tmp_path, "other", {"fix": 1.0})))
        assert desk.learning.status().delta.state == "none"
        told = desk.learning.feedback(message, client="c", label="strategic")
        assert (told.weight, told.note) == (0.0, "another model decided it, and that one is in use no more")


async def test_what_is_proven_decides_and_a_rollback_brings_the_model_back(tmp_path: Path) -> None:
    """The message that everybody calls strategic goes there, until somebody orders otherwise."""
    async with Desk(tmp_path) as desk:
        alone = desk.classifier.dry(
            ask="fix the garden", hint=None, client="", conversation_id=None, now=0.0, pins=desk._pins
        )
        assert alone.message_class == "tactical"
        desk.teach(200)
        status = desk.learning.status()
        assert status.delta.state == "in_use"
        assert status.delta.proof >= 1.0
        assert (status.delta.senders, status.delta.trial) == (6, 1)
        taught = desk.send("fix the garden")
        assert desk.learning._messages[taught].answer.message_class == "strategic"
        assert desk.learning.rollback().delta.state == "none"
        again = desk.learning._messages[desk.send("fix the garden")].answer
        assert (again.message_class, again.probabilities, again.evidence) == (
            alone.message_class,
            alone.probabilities,
            alone.evidence,
        )


async def test_a_users_rules_count_in_what_is_learnt_but_not_what_was_learnt_before(tmp_path: Path) -> None:
    """Otherwise feedback would be compared with itself."""
    async with Desk(tmp_path, rules=False) as desk:
        desk.settings.classifier.rules.append(RuleSettings(phrase="garden", message_class="tactical", weight=1.5))
        desk.use(load(model_file(tmp_path, "ruled")))
        desk.teach(150)
        lessons = desk.learning.lessons
        assert lessons is not None
        assert lessons.live is not None
        message = desk.send("fix the garden")
        desk.learning.feedback(message, client="c", label="strategic")
        given = lessons._given[message][1]
        # One of three words is known with a weight, two are known; the rule speaks against the second class.
        model = desk.learning._trained.model if desk.learning._trained else None
        assert model is not None
        assert given.alone == model.probabilities([-2.0 / 2**0.5 - 1.5])


async def test_the_status_says_model_threshold_abstained_messages_and_drift(tmp_path: Path) -> None:
    """Below 200 messages there are no figures."""
    async with Desk(tmp_path, abstain_share_max=0.2) as desk:
        desk.send("fix the typo")
        status = desk.learning.status()
        assert (status.model, status.threshold, status.looked_at) == ("small", 0.6, 1)
        assert (status.abstain_share, status.drift, status.abstain_share_max) == (None, {}, 0.2)
        for _ in range(LEAST):
            desk.send("the line")
        status = desk.learning.status()
        assert status.abstain_share == pytest.approx(LEAST / (LEAST + 1), abs=1e-6)
        assert status.drift["confidence"] > 1.0
        assert status.drift["unknown"] == pytest.approx(0.5 - 0.1, abs=0.01)
        assert status.drift["abstain"] == pytest.approx(status.abstain_share)
    async with Desk(tmp_path, rules=True) as desk:
        assert desk.learning.status().threshold is None


async def test_labels_judge_how_well_the_confidence_holds(tmp_path: Path) -> None:
    """Each message once, and only what is learnt: nobody can spoil the figure alone."""
    async with Desk(tmp_path) as desk:
        desk.teach(60, text="fix the typo")
        found = desk.learning.status().drift
        assert found["calibration"] > 0.9
