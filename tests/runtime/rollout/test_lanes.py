"""What is in force on the message path: an alarm before a kill switch before the rollout."""

from __future__ import annotations

from typing import Any

import pytest

from pointsman.core.rollout.stages import BEGINNING, Position, partial
from pointsman.core.rollout.tally import Tally
from pointsman.model.rollout import Assignment, Lane, State, Why
from pointsman.model.settings_operations import RolloutSettings
from pointsman.runtime.rollout.lanes import Lanes

COMPLETED = Position(State.COMPLETED, "completed", 1.0)
SHADOW = Position(State.SHADOW, "shadow", 0.0)


def lanes(position: Position, **flags: Any) -> Lanes:
    """Return lanes that go by this."""
    of = Lanes(Tally())
    of.use(position, "r-1", RolloutSettings(), **{"alarm": False, "killed": False, **flags})
    return of


def test_before_anything_is_known_everything_is_the_legacys():
    """A message that comes before the record has been read is not lost to a candidate that may be broken."""
    of = Lanes(Tally())
    assert of.legacy_only
    assert of.assign("key", "a", "/") == Assignment(Lane.LEGACY, Why.DISABLED)


@pytest.mark.parametrize("position", [BEGINNING, SHADOW, partial(0.99), COMPLETED])
def test_an_alarm_comes_before_a_kill_and_a_kill_before_the_rollout(position):
    """Each says what it is."""
    for flags, why in (({"alarm": True, "killed": True}, Why.ERROR), ({"killed": True}, Why.KILLED)):
        of = lanes(position, **flags)
        assert of.assign("key", "a", "/") == Assignment(Lane.LEGACY, why)
        assert (of.legacy_only, of.is_guarded) == (True, False)


@pytest.mark.parametrize(
    ("position", "guarded"),
    [
        (BEGINNING, False),
        (SHADOW, False),
        (partial(0.25), True),
        (partial(0.25)._replace(state=State.PAUSED), True),
        (Position(State.FULL, "full", 1.0), True),
        (COMPLETED, False),
    ],
)
def test_it_is_guarded_where_the_candidate_answers_and_could_be_sent_back(position, guarded):
    """Not in the shadow, and not when there is no way back that anybody would take by itself."""
    assert lanes(position).is_guarded is guarded


def test_what_is_given_is_counted_and_what_is_looked_up_is_not():
    """In the tally that it was made with."""
    tally = Tally()
    of = Lanes(tally)
    of.all_ours()
    of.assign("key", "a", "/")
    of.look_up("key", "a", "/")
    assert tally.lanes == {Lane.LEGACY: 0, Lane.CANDIDATE: 1, Lane.BOTH: 0}
