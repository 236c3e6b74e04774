"""The states of a rollout: the table, all of it and nothing but it."""

from __future__ import annotations

import random
from itertools import product
from pathlib import Path

import pytest

from pointsman.core.rollout.stages import (
    BEGINNING,
    SERVING,
    TRANSITIONS,
    VERBS,
    Position,
    allowed,
    diagram,
    following,
    held,
    is_step,
    partial,
    step,
)
from pointsman.model.rollout import State
from pointsman.model.states import IllegalStep

STAGES = (0.25, 0.5, 0.75)
EVENTS = (*VERBS, "trip")

AT = {
    State.DISABLED: [BEGINNING],
    State.SHADOW: [Position(State.SHADOW, "shadow", 0.0)],
    State.PARTIAL: [partial(share) for share in STAGES],
    State.FULL: [Position(State.FULL, "full", 1.0)],
    State.COMPLETED: [Position(State.COMPLETED, "completed", 1.0)],
    State.PAUSED: [
        Position(State.PAUSED, "shadow", 0.0),
        *(partial(share)._replace(state=State.PAUSED) for share in STAGES),
        Position(State.PAUSED, "full", 1.0),
    ],
    State.ROLLED_BACK: [Position(State.ROLLED_BACK, "rolled_back", 0.0)],
}
"""Every position there is with these stages."""

WANTED = {
    ("disabled", "start"): "shadow",
    ("shadow", "promote"): "partial-25",
    ("partial-25", "promote"): "partial-50",
    ("partial-50", "promote"): "partial-75",
    ("partial-75", "promote"): "full",
    ("full", "promote"): "completed",
    ("rolled_back", "ack"): "disabled",
}
"""What the brief says, told without the table."""


@pytest.mark.parametrize(("state", "event"), list(product(State, EVENTS)))
def test_every_pair_of_state_and_event_does_what_the_table_says(state, event):
    """A step that the table has leads to one of its targets; any other raises, names what is legal, changes nothing."""
    for position in AT[state]:
        if event in TRANSITIONS[state]:
            now = step(position, event, STAGES)
            assert now.state in TRANSITIONS[state][event]
            assert now in AT[now.state]
            assert is_step(position, event, now)
        else:
            with pytest.raises(IllegalStep, match=state.value):
                step(position, event, STAGES)


@pytest.mark.parametrize("position", [one for many in AT.values() for one in many])
def test_promotion_goes_through_every_stage_in_turn(position):
    """None is skipped, and none is left out."""
    wanted = WANTED.get((position.stage, "promote"), "") if position.state is not State.PAUSED else ""
    assert following(position, STAGES) == wanted


def test_a_rollout_from_the_beginning_to_the_end():
    """Start, then promote until nothing follows: the shares rise from none to all."""
    position, seen = step(BEGINNING, "start", STAGES), []
    while following(position, STAGES):
        position = step(position, "promote", STAGES)
        seen.append((position.stage, position.share))
    assert seen == [
        ("partial-25", 0.25),
        ("partial-50", 0.5),
        ("partial-75", 0.75),
        ("full", 1.0),
        ("completed", 1.0),
    ]


@pytest.mark.parametrize("state", State)
def test_every_state_has_an_exit(state):
    """And a verb of a person is among the ways out."""
    for position in AT[state]:
        assert set(allowed(position)) == set(TRANSITIONS[state]) - {"trip"}
        assert allowed(position)


def test_whoever_serves_can_be_rolled_back():
    """By a person and by the guard alike, from wherever the candidate sees a message and from nowhere else."""
    for state in State:
        assert ("rollback" in TRANSITIONS[state]) == ("trip" in TRANSITIONS[state]) == (state in SERVING)


@pytest.mark.parametrize("position", [*AT[State.SHADOW], *AT[State.PARTIAL], *AT[State.FULL]])
def test_a_pause_gives_back_what_it_took(position):
    """The stage and its share stay as they are, and resume leads to the very same place."""
    paused = step(position, "pause", STAGES)
    assert (paused.stage, paused.share, held(paused)) == (position.stage, position.share, position.state)
    assert step(paused, "resume", STAGES) == position


def test_stages_that_changed_in_the_meantime_are_no_trap():
    """A restart with other stages goes on with the first larger share, or with everything."""
    assert step(partial(0.5), "promote", (0.1, 0.6, 0.9)) == partial(0.6)
    assert step(partial(0.95), "promote", (0.1, 0.6, 0.9)).stage == "full"
    assert step(partial(0.3)._replace(state=State.PAUSED), "resume", (0.1,)) == partial(0.3)


def test_names_of_stages_say_their_share():
    """Without a tail of zeros, and with the part of a percent where there is one."""
    assert [partial(share).stage for share in (0.25, 0.5, 0.125, 0.07)] == [
        "partial-25",
        "partial-50",
        "partial-12.5",
        "partial-7",
    ]


LEGAL_SHARE = {
    State.DISABLED: {0.0},
    State.SHADOW: {0.0},
    State.PARTIAL: set(STAGES),
    State.FULL: {1.0},
    State.COMPLETED: {1.0},
    State.PAUSED: {0.0, *STAGES, 1.0},
    State.ROLLED_BACK: {0.0},
}


@pytest.mark.parametrize("seed", range(4))
def test_random_walks_never_leave_the_table(seed):
    """100,000 events each: the share is always one the state allows, and an illegal event changes nothing."""
    rng = random.Random(seed)
    position, visited = BEGINNING, set()
    for _ in range(100_000):
        event = rng.choice(EVENTS)
        before = position
        try:
            position = step(position, event, STAGES)
        except IllegalStep:
            assert event not in TRANSITIONS[before.state]
            assert position is before
        assert position.share in LEGAL_SHARE[position.state]
        if event != "promote":
            assert position.share in (0.0, before.share)
        visited.add(position)
    assert visited == {one for many in AT.values() for one in many}


@pytest.mark.parametrize(
    ("was", "event", "now"),
    [
        (BEGINNING, "start", Position(State.SHADOW, "shadow", 0.5)),
        (BEGINNING, "start", partial(0.25)),
        (partial(0.5), "promote", partial(0.25)),
        (partial(0.5), "promote", partial(0.5)),
        (partial(0.5), "promote", Position(State.PARTIAL, "partial-75", 0.9)),
        (partial(0.5), "promote", Position(State.COMPLETED, "completed", 1.0)),
        (partial(0.5), "pause", Position(State.PAUSED, "partial-50", 0.75)),
        (partial(0.5)._replace(state=State.PAUSED), "resume", partial(0.75)),
        (partial(0.5)._replace(state=State.PAUSED), "resume", Position(State.FULL, "partial-50", 0.5)),
        (partial(0.5), "rollback", Position(State.ROLLED_BACK, "rolled_back", 0.5)),
        (partial(0.5), "ack", BEGINNING),
    ],
)
def test_what_is_no_step_is_seen_to_be_none(was, event, now):
    """Also where the state would be right, and the stage or the share is not."""
    assert not is_step(was, event, now)


def test_the_picture_in_the_documentation_is_that_of_the_table():
    """It is drawn from it: change the table and the page must follow."""
    page = Path(__file__).parents[3] / "docs" / "explanation" / "rollout.md"
    assert f"```mermaid\n{diagram()}```" in page.read_text("utf-8")
