"""What a rollout says of itself agrees with what it does."""

from __future__ import annotations

import pytest

from pointsman.model.rollout import RolloutStatus
from tests.runtime.rollout.desk import LENA, Desk


async def test_every_offer_of_the_status_is_taken(tmp_path):
    """A verb that stands in `allowed` works, in every state on the way, and leads where `next_stage` says."""
    desk = Desk(tmp_path)
    await desk.go()
    for verb in ("start", "pause", "resume", "promote", "promote", "promote", "promote", "promote", "rollback", "ack"):
        status = desk.rollout.status()
        assert verb in status.allowed
        after: RolloutStatus = await getattr(desk.rollout, verb)(LENA)
        if verb == "promote":
            assert after.stage == status.next_stage
        assert after == desk.rollout.status()
    await desk.rollout.close()


@pytest.mark.parametrize("verbs", [(), ("start",), ("start", "promote"), ("start", "promote", "pause")])
async def test_the_shares_are_those_in_force(tmp_path, verbs):
    """Under a kill switch both are nothing, whatever the rollout has come to."""
    desk = Desk(tmp_path)
    status = await desk.go(*verbs)
    assert status.share == (0.25 if "promote" in verbs else 0.0)
    assert status.shadow_share == (0.1 if verbs == ("start",) else 0.0)
    desk.kill_file.parent.mkdir(exist_ok=True)
    desk.kill_file.touch()
    desk = await desk.again()
    status = desk.rollout.status()
    assert (status.share, status.shadow_share) == (0.0, 0.0)
    assert status.killed.startswith("kill_file: ")
    await desk.rollout.close()


async def test_a_rollout_at_its_beginning_has_nothing_to_tell(tmp_path):
    """Everything that is not known is empty or None, and never invented."""
    desk = Desk(tmp_path)
    status = await desk.go()
    assert (status.history_head, status.since, status.realised_share) == (None, None, None)
    assert (status.rollout_id, status.ref, status.alarm, status.killed) == ("", "", "", "")
    assert status.messages == {"legacy": 0, "candidate": 0, "both": 0}
    assert [verdict.verdict for verdict in status.verdicts] == ["no_data", "no_data"]
    await desk.rollout.close()
