"""Whether a verb may be obeyed, and what somebody is told whose verb may not."""

from __future__ import annotations

from typing import Any

import pytest

from pointsman.core.rollout.permission import Standing, allowed_now, require, require_usable, stage_min_s
from pointsman.core.rollout.stages import BEGINNING, VERBS, Position, allowed, partial
from pointsman.model.errors import Conflict, Locked, TooEarly, UsageError
from pointsman.model.rollout import Entry, Order, State
from pointsman.model.settings_operations import RolloutSettings

SHADOW = Position(State.SHADOW, "shadow", 0.0)
FULL = Position(State.FULL, "full", 1.0)
ROLLED_BACK = Position(State.ROLLED_BACK, "rolled_back", 0.0)
ORDER = Order(actor="lena", reason="because")


def standing(position: Position, **changes: Any) -> Standing:
    """Return where a rollout stands: all is well, and its stage has lasted long enough."""
    return Standing(True, "", "", position, _entry(position), 100.0, 60.0, 1_767_225_600.0)._replace(**changes)


def _entry(position: Position) -> Entry | None:
    if position == BEGINNING:
        return None
    return Entry(
        seq=7,
        at=0.0,
        rollout_id="r-1",
        event="x",
        was=State.DISABLED,
        now=position.state,
        stage=position.stage,
        share=position.share,
        actor="guard",
        reason="too many",
    )


EVERYWHERE = [BEGINNING, SHADOW, partial(0.5), FULL, partial(0.5)._replace(state=State.PAUSED), ROLLED_BACK]


@pytest.mark.parametrize("position", EVERYWHERE)
@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "rollback"])
def test_a_verb_is_obeyed_exactly_where_it_is_named_as_legal(position, verb):
    """What the status offers and what is obeyed agree; the refusal names what is legal."""
    if verb in allowed_now(standing(position)):
        require(verb, ORDER, standing(position))
    else:
        with pytest.raises(Conflict, match=allowed(position)[0]):
            require(verb, ORDER, standing(position))


def test_after_a_rollback_everything_is_locked_but_to_acknowledge():
    """The refusal says who did it and why."""
    with pytest.raises(Locked, match="rolled back by guard: too many; legal now: ack"):
        require("start", ORDER, standing(ROLLED_BACK))
    require("ack", ORDER, standing(ROLLED_BACK))


@pytest.mark.parametrize("order", [Order(), Order(actor="lena"), Order(reason="because"), Order(actor=" ", reason=" ")])
def test_to_acknowledge_takes_a_name_and_a_reason(order):
    """Nobody clears a rollback by accident."""
    with pytest.raises(UsageError, match="an actor and a reason"):
        require("ack", order, standing(ROLLED_BACK))


def test_a_stage_must_last_before_it_is_promoted():
    """The refusal says when it may be; force with a reason overrules it, force alone does not."""
    early = standing(SHADOW, elapsed_s=20.0)
    with pytest.raises(TooEarly, match=r"from 2026-01-01T00:00:40Z on, in 40 s"):
        require("promote", ORDER, early)
    with pytest.raises(UsageError, match="force takes a reason"):
        require("promote", Order(actor="lena", force=True), early)
    require("promote", Order(actor="lena", reason="urgent", force=True), early)
    require("promote", ORDER, standing(SHADOW, elapsed_s=60.0))
    require("pause", ORDER, early)


@pytest.mark.parametrize("position", EVERYWHERE)
def test_force_makes_nothing_legal_that_is_not(position):
    """It shortens a stage and never skips one."""
    force = Order(actor="lena", reason="urgent", force=True)
    for verb in set(VERBS) - {"rollback"} - set(allowed(position)):
        with pytest.raises(Conflict):
            require(verb, force, standing(position))


def test_who_expects_another_state_is_told_which_one_it_is():
    """0 stands for a record without entries."""
    with pytest.raises(Conflict, match="expected_seq is 6, and the newest entry is 7"):
        require("pause", Order(expected_seq=6), standing(SHADOW))
    require("pause", Order(expected_seq=7), standing(SHADOW))
    require("start", Order(expected_seq=0), standing(BEGINNING))


@pytest.mark.parametrize("verb", ["start", "promote", "resume", "ack"])
def test_under_a_kill_switch_nothing_goes_forward(verb):
    """It would be undone at once; the refusal says what to take away."""
    with pytest.raises(Locked, match="held at the legacy by the kill_file: smoke"):
        require(verb, ORDER, standing(ROLLED_BACK, kill="kill_file: smoke"))
    assert allowed_now(standing(ROLLED_BACK, kill="kill_file: smoke")) == []


def test_without_a_legacy_and_under_an_alarm_no_verb_does_anything():
    """Each says why."""
    for changes, words in (({"configured": False}, "rollout.legacy"), ({"alarm": "line 3"}, "line 3")):
        with pytest.raises(Conflict, match=words):
            require_usable(standing(SHADOW, **changes))
        with pytest.raises(Conflict, match=words):
            require("pause", ORDER, standing(SHADOW, **changes))
        assert allowed_now(standing(SHADOW, **changes)) == []


def test_each_kind_of_stage_has_a_least_time_of_its_own():
    """A pause has that of the stage it holds."""
    settings = RolloutSettings(min_shadow_s=1.0, min_stage_s=2.0, min_full_s=3.0)
    found = [stage_min_s(settings, position) for position in EVERYWHERE]
    assert found == [0.0, 1.0, 2.0, 3.0, 2.0, 0.0]
