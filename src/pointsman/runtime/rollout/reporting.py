"""What a rollout says of itself: its status, for the API, the command line and metrics. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.core.rollout.permission import allowed_now
from pointsman.core.rollout.stages import Position, following, held
from pointsman.model.rollout import RolloutStatus, State

if TYPE_CHECKING:
    from pointsman.runtime.rollout.conductor import Rollout


def report(rollout: Rollout) -> RolloutStatus:
    """Return the rollout as it is now."""
    position, head, settings = rollout.course.position, rollout.course.recorder.head, rollout.settings
    standing = rollout.standing()
    tally = rollout.tally
    return RolloutStatus(
        configured=rollout.is_configured,
        state=position.state,
        stage=position.stage,
        share=0.0 if rollout.serves_legacy_only else position.share,
        shadow_share=_shadow_share(rollout, position),
        realised_share=tally.realised_share(),
        messages={lane.value: count for lane, count in tally.lanes.items()},
        since=rollout.course.time.since,
        stage_min_s=standing.min_s,
        locked=position.state is State.ROLLED_BACK,
        killed=standing.kill,
        alarm=rollout.course.alarm,
        rollout_id=head.rollout_id if head is not None else "",
        ref=head.ref if head is not None else "",
        verdicts=rollout.guard.verdicts(),
        fallbacks=dict(tally.fallbacks),
        shadow=dict(tally.shadow),
        allowed=allowed_now(standing),
        next_stage=following(position, settings.stages),
        history_head=head,
    )


def _shadow_share(rollout: Rollout, position: Position) -> float:
    if held(position) is not State.SHADOW or rollout.serves_legacy_only:
        return 0.0
    return rollout.settings.shadow.share
