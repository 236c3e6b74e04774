"""Counts of a rollout: of the stage, of the rollout, and never more names than are known."""

from __future__ import annotations

from pointsman.core.rollout.tally import MOST_REASONS, Tally
from pointsman.model.events import Mirrored
from pointsman.model.rollout import Lane


def test_the_realised_share_is_that_of_messages():
    """Of all lanes together; nothing before the first message."""
    tally = Tally()
    assert tally.realised_share() is None
    tally.lanes[Lane.CANDIDATE] += 3
    tally.lanes[Lane.LEGACY] += 8
    tally.lanes[Lane.BOTH] += 1
    assert tally.realised_share() == 0.25


def test_a_stage_begins_at_nothing_and_the_shadow_goes_on():
    """The counts of the shadow are those of the whole rollout; the object that is counted in stays the same."""
    tally = Tally()
    lanes = tally.lanes
    lanes[Lane.LEGACY] += 1
    tally.fell_back("dead")
    tally.mirrored(Mirrored(0.0, "compared", "match"))
    tally.begin_stage()
    assert tally.lanes is lanes
    assert lanes == dict.fromkeys(Lane, 0)
    assert tally.fallbacks == {}
    assert tally.shadow["compared"] == 1
    tally.begin_rollout()
    assert tally.shadow == {"sampled": 0, "compared": 0, "dropped": 0, "timed_out": 0}


def test_sampled_is_what_became_of_it_exactly():
    """Compared, dropped and timed out add up, and kinds are counted beside them; unknown words are no names."""
    tally = Tally()
    for outcome, kind in (("compared", "match"), ("compared", "match"), ("dropped", "full"), ("timed_out", "")):
        tally.mirrored(Mirrored(0.0, outcome, kind))
    tally.mirrored(Mirrored(0.0, "compared", "invented"))
    assert tally.shadow == {"sampled": 5, "compared": 3, "dropped": 1, "timed_out": 1, "match": 2, "full": 1}


def test_reasons_of_fallbacks_are_bounded():
    """Beyond the bound they are `other`; none is lost."""
    tally = Tally()
    for number in range(1000):
        tally.fell_back(f"reason-{number}")
    assert len(tally.fallbacks) == MOST_REASONS + 1
    assert sum(tally.fallbacks.values()) == 1000
