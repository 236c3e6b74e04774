"""The states of a rollout as a transition table, and the essay that goes with it.

A rollout begins `disabled`: the old router answers everything. `start` lets this router look on (`shadow`); each
`promote` gives it more: the partial stages one by one (`partial`), then everything with the old router still at hand
(`full`), then everything for good (`completed`). `pause` holds a stage with its share as it is, so that nothing is
promoted until `resume`. `rollback`, by a person or a kill switch, and `trip`, by the guard, lead to `rolled_back` from
wherever the candidate sees a message; that is locked until somebody says by `ack` that they know, which leads back to
the beginning. No stage is ever skipped, and no state is without an exit.

`partial` stands for several stages, told apart by their share. Where the table names two states, the settings decide:
the next partial stage is the first with a larger share, and `full` follows when there is none. `resume` leads back to
the state whose stage is held. An illegal step raises and changes nothing.

What is not decided here: whether a stage has lasted long enough, and who may say so (`runtime.rollout.conductor`).

Theory of operation after python-hyper/h11 (`h11/_state.py`). Words after Argo Rollouts and Flagger; a lock after each
rollback, and a rollback that is legal in every state that serves, because they lack them (study "rollout", 1.2, 5.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from pointsman.model.rollout import State
from pointsman.model.states import IllegalStep

_BACK: Final[dict[str, tuple[State, ...]]] = {"rollback": (State.ROLLED_BACK,), "trip": (State.ROLLED_BACK,)}

TRANSITIONS: Final[dict[State, dict[str, tuple[State, ...]]]] = {
    State.DISABLED: {"start": (State.SHADOW,)},
    State.SHADOW: {"promote": (State.PARTIAL,), "pause": (State.PAUSED,), **_BACK},
    State.PARTIAL: {"promote": (State.PARTIAL, State.FULL), "pause": (State.PAUSED,), **_BACK},
    State.FULL: {"promote": (State.COMPLETED,), "pause": (State.PAUSED,), **_BACK},
    State.COMPLETED: {**_BACK},
    State.PAUSED: {"resume": (State.SHADOW, State.PARTIAL, State.FULL), **_BACK},
    State.ROLLED_BACK: {"ack": (State.DISABLED,)},
}
"""Every legal step: state -> event -> the states that it may lead to."""

VERBS: Final = ("start", "promote", "pause", "resume", "rollback", "ack")
"""What a person may ask for; `trip` is the guard's."""


class Position(NamedTuple):
    """Where a rollout stands.

    Attributes:
        state: the state.
        stage: its name, see `Entry`; of a pause, the stage it holds.
        share: of keys that the candidate answers, 0..1.
    """

    state: State
    stage: str
    share: float


BEGINNING: Final = Position(State.DISABLED, State.DISABLED.value, 0.0)
"""Where a rollout stands that nothing is known of."""

SERVING: Final = frozenset({State.SHADOW, State.PARTIAL, State.FULL, State.COMPLETED, State.PAUSED})
"""States in which the candidate sees messages; all others leave everything to the legacy."""


def step(position: Position, event: str, stages: Sequence[float]) -> Position:
    """Return where `event` leads to.

    Args:
        position: where the rollout stands.
        event: one of `VERBS`, or `trip`.
        stages: shares of the partial stages, 0..1, rising.

    Raises:
        IllegalStep: the table has no such step; nothing has changed.
    """
    targets = TRANSITIONS[position.state].get(event)
    if targets is None:
        may = ", ".join(allowed(position)) or "nothing"
        raise IllegalStep(f"a rollout that is {position.state.value} takes no {event!r}; it takes: {may}")
    if event == "resume":
        return position._replace(state=held(position))
    if event == "pause":
        return position._replace(state=State.PAUSED)
    if event == "promote" and State.PARTIAL in targets:
        larger = [share for share in stages if position.share < share < 1.0]
        return partial(larger[0]) if larger else _whole(State.FULL)
    (target,) = targets
    return _whole(target)


def partial(share: float) -> Position:
    """Return the partial stage with this share, above 0 and below 1."""
    return Position(State.PARTIAL, f"partial-{share * 100:g}", share)


def _whole(state: State) -> Position:
    """Return the one stage that a state has whose share is none or all."""
    return Position(state, state.value, 1.0 if state in {State.FULL, State.COMPLETED} else 0.0)


def held(position: Position) -> State:
    """Return the state whose stage this is: of a pause, the one it holds."""
    if position.state is not State.PAUSED:
        return position.state
    return {State.SHADOW.value: State.SHADOW, State.FULL.value: State.FULL}.get(position.stage, State.PARTIAL)


def allowed(position: Position) -> list[str]:
    """Return the verbs that may follow."""
    return [verb for verb in VERBS if verb in TRANSITIONS[position.state]]


def following(position: Position, stages: Sequence[float]) -> str:
    """Return the name of the stage that `promote` would lead to, or an empty string."""
    if "promote" not in TRANSITIONS[position.state]:
        return ""
    return step(position, "promote", stages).stage


def is_step(was: Position, event: str, now: Position) -> bool:
    """Whether the table has a step from `was` to `now` by `event`, whatever stages the settings then named."""
    if now.state not in TRANSITIONS[was.state].get(event, ()):
        return False
    if event in {"pause", "resume"}:
        return (now.stage, now.share) == (was.stage, was.share) and held(now) is held(was)
    if now.state is State.PARTIAL:
        return was.share < now.share < 1.0 and now == partial(now.share)
    return now == _whole(now.state)


def diagram() -> str:
    """Return the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> disabled"]
    for state, events in TRANSITIONS.items():
        by_targets: dict[State, list[str]] = {}
        for event, targets in events.items():
            for target in targets:
                by_targets.setdefault(target, []).append(event)
        lines += [f"    {state.value} --> {target.value}: {', '.join(names)}" for target, names in by_targets.items()]
    return "\n".join(lines) + "\n"
