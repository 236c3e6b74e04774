"""Whether a verb may be obeyed now, and what somebody is told whose verb may not.

`rollback` is not asked about here: it is obeyed wherever there is something to roll back. Everything else is refused
while there is no legacy, an alarm, or a kill switch that would undo it at once; where the table of `stages` has no such
step; where the caller knew another state than this; and, for `promote`, before the stage has lasted long enough, unless
it is forced and a reason is given. Force never skips a stage.
"""

from __future__ import annotations

from typing import NamedTuple

from pointsman.core.periods import written
from pointsman.core.rollout.stages import TRANSITIONS, Position, allowed, held
from pointsman.model.errors import Conflict, Locked, TooEarly, UsageError
from pointsman.model.rollout import Entry, Order, State
from pointsman.model.settings_operations import RolloutSettings


class Standing(NamedTuple):
    """What a rollout's answer depends on.

    Attributes:
        configured: there is a legacy.
        alarm: what is wrong with the record, or empty.
        kill: what holds everything at the legacy, or empty.
        position: where it stands.
        head: the newest entry, or None.
        elapsed_s: for how long its stage has lasted.
        min_s: how long that must last.
        wall: now, Unix seconds; for people only.
    """

    configured: bool
    alarm: str
    kill: str
    position: Position
    head: Entry | None
    elapsed_s: float
    min_s: float
    wall: float


def stage_min_s(settings: RolloutSettings, position: Position) -> float:
    """Return how many seconds a stage must last before it may be promoted; 0 where there is no such rule."""
    by_state = {
        State.SHADOW: settings.min_shadow_s,
        State.PARTIAL: settings.min_stage_s,
        State.FULL: settings.min_full_s,
    }
    return by_state.get(held(position), 0.0)


def allowed_now(standing: Standing) -> list[str]:
    """Return the verbs that would not be refused for the state things are in; time is not looked at."""
    if not standing.configured or standing.alarm:
        return []
    return [verb for verb in allowed(standing.position) if not standing.kill or verb in {"pause", "rollback"}]


def require_usable(standing: Standing) -> None:
    """Raise Conflict where no verb does anything: without a legacy, and while there is an alarm."""
    if not standing.configured:
        raise Conflict(
            "there is no old router to begin from: name it with rollout.legacy, or give Router a legacy, and restart"
        )
    if standing.alarm:
        raise Conflict(f"everything goes to the legacy, and nothing else can be asked for: {standing.alarm}")


def require(event: str, order: Order, standing: Standing) -> None:
    """Return where a verb other than `rollback` may be obeyed.

    Raises:
        Conflict: not in this state; the text names the verbs that are legal.
        Locked: not after a rollback that nobody has acknowledged, nor under a kill switch.
        TooEarly: the stage has not lasted long enough; the text says when it will have.
        UsageError: something is missing from the order.
    """
    require_usable(standing)
    state = standing.position.state
    if standing.kill and event != "pause":
        raise Locked(f"everything is held at the legacy by the {standing.kill}: take that away first, then acknowledge")
    if event not in TRANSITIONS[state]:
        _refuse(event, standing)
    seq = standing.head.seq if standing.head is not None else 0
    if order.expected_seq is not None and order.expected_seq != seq:
        text = f"expected_seq is {order.expected_seq}, and the newest entry is {seq}: look at what happened meanwhile"
        raise Conflict(text)
    if event == "ack" and not (order.actor.strip() and order.reason.strip()):
        raise UsageError("acknowledging a rollback takes an actor and a reason: who has understood what happened")
    if order.force and not order.reason.strip():
        raise UsageError("force takes a reason: say why it cannot wait")
    if event == "promote" and standing.elapsed_s < standing.min_s and not order.force:
        _refuse_early(standing)


def _refuse(event: str, standing: Standing) -> None:
    position, head = standing.position, standing.head
    if position.state is State.ROLLED_BACK:
        why = f" by {head.actor or 'nobody named'}: {head.reason or 'no reason given'}" if head is not None else ""
        raise Locked(f"it was rolled back{why}; legal now: ack, with an actor and a reason")
    may = ", ".join(allowed_now(standing)) or "nothing"
    raise Conflict(f"{event!r} is not legal while the rollout is {position.state.value}; legal now: {may}")


def _refuse_early(standing: Standing) -> None:
    left_s = standing.min_s - standing.elapsed_s
    raise TooEarly(
        f"stage {standing.position.stage!r} lasts {standing.min_s:g} s at least and has lasted"
        f" {max(0.0, standing.elapsed_s):.0f} s: it may be promoted from {written(standing.wall + left_s)} on, in"
        f" {left_s:.0f} s, or now by force, with a reason"
    )
